/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/key_message.h"

#define LENGTH_BYTES 4

enum err key_channel_send(struct task *task, const struct key_channel *channel, struct str frames)
{
	while (frames.len > 0) {
		ssize_t done = write(channel->to, frames.at, frames.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail(task, ERR_IO, "the other side of a key channel is gone");
		frames = str_from(frames, (size_t)done);
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

static size_t waiting(const struct key_inbox *inbox)
{
	return inbox->end - inbox->begin;
}

/* Until there is a length, or the other side has ended. */
static enum err find_length(struct task *task, const struct key_channel *channel,
			    struct key_inbox *inbox)
{
	size_t there = waiting(inbox), got = 0;

	if (there >= LENGTH_BYTES)
		return OK;
	memmove(inbox->bytes, inbox->bytes + inbox->begin, there);
	inbox->begin = 0;
	inbox->end = there;
	TRY(receive(task, channel->from, inbox->bytes + there, LENGTH_BYTES - there,
		    sizeof(inbox->bytes) - there, &got));
	inbox->end += got;
	if (inbox->end == 0)
		return fail(task, ERR_NOT_FOUND, "the other side of a key channel has ended");
	if (inbox->end < LENGTH_BYTES)
		return fail(task, ERR_IO, "a key channel ended within a frame");
	return OK;
}

/* Out of the inbox, where it may have been a password. */
static void take(struct key_inbox *inbox, char *to, size_t len)
{
	char *from = inbox->bytes + inbox->begin;

	memcpy(to, from, len);
	explicit_bzero(from, len);
	inbox->begin += len;
}

enum err key_channel_receive(struct task *task, const struct key_channel *channel,
			     struct key_inbox *inbox, struct str *ret_message)
{
	char length[LENGTH_BYTES], *bytes;
	size_t len, there, rest = 0;

	TRY(find_length(task, channel, inbox));
	take(inbox, length, LENGTH_BYTES);
	len = length_of(length);
	if (len == 0 || len > KEY_MESSAGE_MAX - LENGTH_BYTES)
		return fail(task, ERR_SYNTAX, "a malformed frame between grantd and keyd");
	there = waiting(inbox) < len ? waiting(inbox) : len;
	bytes = arena_alloc(&task->arena, len);
	take(inbox, bytes, there);
	TRY(receive(task, channel->from, bytes + there, len - there, len - there, &rest));
	if (there + rest < len)
		return fail(task, ERR_IO, "a key channel ended within a frame");
	*ret_message = (struct str){ bytes, len };
	return OK;
}

bool key_inbox_has_frame(const struct key_inbox *inbox)
{
	size_t there = waiting(inbox);

	return there >= LENGTH_BYTES &&
	       there - LENGTH_BYTES >= length_of(inbox->bytes + inbox->begin);
}

enum err key_outbox_send(struct task *task, const struct key_channel *channel,
			 struct key_outbox *outbox)
{
	size_t len = outbox->len;
	enum err err = key_channel_send(task, channel, (struct str){ outbox->bytes, len });

	explicit_bzero(outbox->bytes, len);
	outbox->len = 0;
	return err;
}

enum err key_outbox_add(struct task *task, const struct key_channel *channel,
			struct key_outbox *outbox, struct str frame)
{
	if (frame.len > sizeof(outbox->bytes) - outbox->len)
		TRY(key_outbox_send(task, channel, outbox));
	if (frame.len > sizeof(outbox->bytes))
		return key_channel_send(task, channel, frame);
	memcpy(outbox->bytes + outbox->len, frame.at, frame.len);
	outbox->len += frame.len;
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
