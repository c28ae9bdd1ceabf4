/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyring's side of one channel. A line belongs to one thread, which asks and waits; what answers
 * at its other end is one thread as well. A thread that serves many tasks in turn may gather what
 * they ask and ask it at once: the two then change places on the processor once for all of them.
 * Private to crypto.
 */
#pragma once

#include <pthread.h>

#include "crypto/key_channel.h"
#include "crypto/key_message.h"

/* A question that waits for others to go with it, in the memory of its task. */
struct key_waiting {
	struct task *task;
	enum key_ask ask;
	struct str frame;
	struct key_answer *ret_answer;
	struct key_waiting *next;
};

struct key_line {
	/*
	 * Nobody waits for it; it is there so that a thread number that is wrong can cost time
	 * only, and never hand one person's answer to another.
	 */
	pthread_mutex_t lock;
	struct key_channel channel;
	/*
	 * The thread at the far end, from its first answer on; 0: not known. It is kept on the core
	 * of who asks: one of the two always waits for the other, and side by side they would wake
	 * a sleeping core for each half of a question (measured: 6 to 20 us more of processor time
	 * per question).
	 */
	int far_thread;
	int far_core; /* where it was told to run; -1: not yet */
	bool has_met;

	bool has_gatherer;
	pthread_t gatherer; /* the thread that asks what was gathered */
	struct key_waiting *first, *last;
	size_t gathered, room; /* bytes */
};

/* Takes the channel over. */
void key_line_open(struct key_line *line, const struct key_channel *channel);
void key_line_close(struct key_line *line);
/*
 * ERR_BUSY when the holder is gone. A line on which question and answer no longer belong together
 * is closed, and that ends keyd.
 */
MUST_CHECK enum err key_line_ask(struct task *task, struct key_line *line,
				 const struct key_question *question,
				 struct key_answer *ret_answer);
/*
 * Keeps a question, whose parked task comes home with the answer, or with ERR_BUSY when the holder
 * is gone. False: nothing is gathered here, by this thread, or no more of it; ask in place.
 */
bool key_line_gather(struct key_line *line, struct key_waiting *waiting);
/* By the thread that is to gather from its first call on. Whether tasks went home. */
bool key_line_ask_gathered(struct key_line *line);
