/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/notify.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify(struct str socket_name, struct str state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len;
	int fd;

	if (socket_name.len < 2 || socket_name.len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, socket_name.at, socket_name.len);
	if (address.sun_path[0] == '@') /* an abstract name */
		address.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + socket_name.len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state.at, state.len, MSG_NOSIGNAL, (const struct sockaddr *)&address, len);
	close(fd);
}
