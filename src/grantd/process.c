/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/process.h"

#include <errno.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <unistd.h>

bool process_ends(pid_t pid, int limit_ms)
{
	struct pollfd wait = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int got;

	if (wait.fd < 0)
		return false;
	do {
		got = poll(&wait, 1, limit_ms);
	} while (got < 0 && errno == EINTR);
	close(wait.fd);
	return got == 1;
}
