/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/key_message.h"

#define LENGTH_BYTES 4
/* what nearly every message fits in, so that it is one read */
#define FIRST_READ 4096

enum err key_channel_send(struct task *task, const struct key_channel *channel, struct str frame)
{
	while (frame.len > 0) {
		ssize_t done = write(channel->to, frame.at, frame.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail(task, ERR_IO, "the other side of a key channel is gone");
		frame = str_from(frame, (size_t)done);
	}
	return OK;
}

/* At least `least` bytes, at most `most`; fewer at the end. */
static enum err receive(struct task *task, int fd, char *at, size_t least, size_t most,
			size_t *ret_len)
{
	size_t len = 0;

	while (len < least) {
		ssize_t got = read(fd, at + len, most - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(task, ERR_IO, "a key channel cannot be read");
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return OK;
}

static size_t length_of(const char bytes[LENGTH_BYTES])
{
	size_t len = 0;

	for (size_t i = 0; i < LENGTH_BYTES; i++)
		len = len << 8 | (unsigned char)bytes[i];
	return len;
}

enum err key_channel_receive(struct task *task, const struct key_channel *channel,
			     struct str *ret_message)
{
	char *bytes = arena_alloc(&task->arena, FIRST_READ);
	size_t got = 0, len, rest = 0;

	TRY(receive(task, channel->from, bytes, LENGTH_BYTES, FIRST_READ, &got));
	if (got == 0)
		return fail(task, ERR_NOT_FOUND, "the other side of a key channel has ended");
	if (got < LENGTH_BYTES)
		return fail(task, ERR_IO, "a key channel ended within a frame");
	len = length_of(bytes);
	got -= LENGTH_BYTES;
	if (len == 0 || len > KEY_MESSAGE_MAX - LENGTH_BYTES || got > len)
		return fail(task, ERR_SYNTAX, "a malformed frame between grantd and keyd");
	bytes += LENGTH_BYTES;
	if (len > FIRST_READ - LENGTH_BYTES)
		bytes = memcpy(arena_alloc(&task->arena, len), bytes, got);
	TRY(receive(task, channel->from, bytes + got, len - got, len - got, &rest));
	if (got + rest < len)
		return fail(task, ERR_IO, "a key channel ended within a frame");
	*ret_message = (struct str){ bytes, len };
	return OK;
}

void key_channel_close(struct key_channel *channel)
{
	if (channel->from >= 0)
		(void)close(channel->from);
	if (channel->to >= 0)
		(void)close(channel->to);
	*channel = (struct key_channel){ .from = -1, .to = -1 };
}
