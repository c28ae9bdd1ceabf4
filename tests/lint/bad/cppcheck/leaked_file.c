/* SPDX-License-Identifier: Apache-2.0 */
/* lint: resourceLeak */
#include <fcntl.h>
#include <unistd.h>

int first_byte(const char *path, char *ret_byte)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, ret_byte, 1) != 1)
		return -1;
	close(fd);
	return 0;
}
