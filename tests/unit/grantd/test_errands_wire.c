/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/errands_wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

static void two_files_that_come_along_are_both_closed(void **state)
{
	struct errand_message message = { 0, STR(""), -1 };
	uint32_t head[] = { 0, 0 };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} space = { .bytes = { 0 } };
	struct iovec part = { head, sizeof(head) };
	struct msghdr sent = { .msg_iov = &part,
			       .msg_iovlen = 1,
			       .msg_control = space.bytes,
			       .msg_controllen = sizeof(space.bytes) };
	int ends[2], before, after;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	space.header.cmsg_level = SOL_SOCKET;
	space.header.cmsg_type = SCM_RIGHTS;
	space.header.cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(&space.header), ends, sizeof(ends));
	before = dup(ends[0]);
	CHECK(sendmsg(ends[0], &sent, 0) == (ssize_t)sizeof(head));
	CHECK_ERR(errand_receive(*state, ends[1], &message), OK);
	CHECK(message.file == -1);
	after = dup(ends[0]);
	CHECK(after == before + 1);
	close(before);
	close(after);
	close(ends[0]);
	close(ends[1]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(two_files_that_come_along_are_both_closed));
}
