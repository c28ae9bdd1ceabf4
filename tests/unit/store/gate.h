/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closure that stands in the writer until the test lets it go, so that others queue up behind it.
 */
#pragma once

#include "world.h"

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool is_entered;
	bool is_open;
};

#define GATE_INIT                                                                                  \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER               \
	}

/* A write_fn; arg is the gate. */
enum err gate_stand(struct task *task, struct db *db, void *arg);
/* Waits until the closure stands in it. */
void gate_wait(struct gate *gate);
void gate_open(struct gate *gate);
