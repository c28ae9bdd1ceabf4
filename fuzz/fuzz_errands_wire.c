/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes through the sockets of the errands process, from whoever took the other end over: a
 * stream of messages, each read and cut into its parts, and sent on with a file, which comes out as
 * it went in. Where the stream breaks off it is refused, and no file stays open.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/task.h"
#include "grantd/errands_wire.h"

#define STREAM_MAX (32 * 1024) /* a socket holds that without a reader */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t no_time(void *context)
{
	(void)context;
	return 0;
}

static struct clock no_clock = { .read_wall = no_time };

static void must(bool is_so)
{
	if (!is_so)
		abort();
}

static void send_on(struct task *task, const struct errand_message *message)
{
	struct errand_message there = *message, back = { .file = -1 };
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	there.file = message->number % 2 == 0 ? ends[0] : -1;
	must(errand_send(task, ends[0], &there) == OK);
	must(errand_receive(task, ends[1], &back) == OK);
	must(back.number == there.number && str_equals(back.text, there.text));
	must((back.file >= 0) == (there.file >= 0));
	if (back.file >= 0)
		close(back.file);
	close(ends[0]);
	must(errand_receive(task, ends[1], &back) == ERR_NOT_FOUND);
	must(errand_send(task, ends[1], &there) == ERR_IO);
	close(ends[1]);
}

static void cut(struct str text)
{
	size_t len = text.len, parts = 0;

	for (struct str rest = text; rest.len > 0; parts++) {
		struct str part = errand_next(&rest);

		must(!str_has(part, '\0') && part.len <= len);
		len -= part.len < len ? part.len + 1 : len;
		must(rest.len <= len);
	}
}

static int free_file(void)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(file);
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errand_message message = { .file = -1 };
	int ends[2], before = free_file();
	struct task task;

	if (size > STREAM_MAX)
		return 0;
	task_begin(&task, &no_clock, NULL);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	must(size == 0 || send(ends[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
	must(shutdown(ends[0], SHUT_WR) == 0);
	while (errand_receive(&task, ends[1], &message) == OK) {
		must(message.file == -1 && message.text.len <= ERRANDS_TEXT_MAX);
		must(message.text.at[message.text.len] == '\0');
		cut(message.text);
		send_on(&task, &message);
	}
	close(ends[0]);
	close(ends[1]);
	task_end(&task);
	must(free_file() == before);
	return 0;
}
