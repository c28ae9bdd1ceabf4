/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of pipes between a keyring and its key holder. Each message is a frame: four bytes of
 * length and that many of message. The asker may send several and then reads as many answers, in
 * the same order. The kernel copies, so what was read cannot change while it is looked at; when
 * either side ends, the other reads its end.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct task;

struct key_channel {
	int from; /* what the other side writes */
	int to;
};

/* What was read of a channel and is not taken yet. Begins with begin = end = 0. */
struct key_inbox {
	size_t begin, end;
	char bytes[16384];
};

/* What is to be written to a channel in one go with what follows. Begins with len = 0. */
struct key_outbox {
	size_t len;
	char bytes[32768];
};

/* ERR_IO when the other side is gone. */
MUST_CHECK enum err key_channel_send(struct task *task, const struct key_channel *channel,
				     struct str frames);
/*
 * The message of the next frame, without its length, in task memory; nothing of it stays in the
 * inbox. ERR_NOT_FOUND: the other side has ended between two frames. ERR_IO: within one.
 * ERR_SYNTAX: a length that is not allowed.
 */
MUST_CHECK enum err key_channel_receive(struct task *task, const struct key_channel *channel,
					struct key_inbox *inbox, struct str *ret_message);
/* Whether the next frame is there as a whole, so that receiving it waits for nobody. */
bool key_inbox_has_frame(const struct key_inbox *inbox);
/* Sends what is there before when there is no room for it. ERR_IO when the other side is gone. */
MUST_CHECK enum err key_outbox_add(struct task *task, const struct key_channel *channel,
				   struct key_outbox *outbox, struct str frame);
MUST_CHECK enum err key_outbox_send(struct task *task, const struct key_channel *channel,
				    struct key_outbox *outbox);
void key_channel_close(struct key_channel *channel);
