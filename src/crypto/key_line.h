/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyring's side of one channel. A line belongs to one thread, which asks and waits; what answers
 * at its other end is one thread as well. Private to crypto.
 */
#pragma once

#include <pthread.h>

#include "crypto/key_channel.h"
#include "crypto/key_message.h"

struct key_line {
	/*
	 * Nobody waits for it; it is there so that a thread number that is wrong can cost time
	 * only, and never hand one person's answer to another.
	 */
	pthread_mutex_t lock;
	struct key_channel channel;
	int far_thread; /* 0: not known */
	int far_core;	/* where it was told to run; -1: not yet */
};

/* Takes the channel over. */
void key_line_open(struct key_line *line, const struct key_channel *channel);
void key_line_close(struct key_line *line);
/*
 * From now on the thread at the far end is kept on the core of who asks. One of the two always
 * waits for the other: side by side they would wake a sleeping core for each half of a question
 * (measured: 6 to 20 us more of processor time per question).
 */
void key_line_follow(struct key_line *line, int far_thread);
/*
 * ERR_BUSY when the holder is gone. A line on which question and answer no longer belong together
 * is closed, and that ends keyd.
 */
MUST_CHECK enum err key_line_ask(struct task *task, struct key_line *line,
				 const struct key_question *question,
				 struct key_answer *ret_answer);
