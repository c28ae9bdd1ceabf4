/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of pipes between a keyring and its key holder, for one question and its answer at a time,
 * each a frame of four bytes of length and that many of message. The kernel copies, so what was
 * read cannot change while it is looked at; when either side ends, the other reads its end.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

struct key_channel {
	int from; /* what the other side writes */
	int to;
};

/* ERR_IO when the other side is gone. */
MUST_CHECK enum err key_channel_send(struct task *task, const struct key_channel *channel,
				     struct str frame);
/*
 * The message of one frame, without its length, in task memory. ERR_NOT_FOUND: the other side has
 * ended between two frames. ERR_IO: within one. ERR_SYNTAX: a length that is not allowed, or more
 * than one frame.
 */
MUST_CHECK enum err key_channel_receive(struct task *task, const struct key_channel *channel,
					struct str *ret_message);
void key_channel_close(struct key_channel *channel);
