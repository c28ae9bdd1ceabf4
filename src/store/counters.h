/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters: how often something happened within a window of time; for throttles that all nodes
 * share.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

/* How often something happened in one window; last_at is when it was last added to. */
struct counter {
	struct str name;
	int64_t window;
	int64_t used;
	int64_t last_at;
};

/* Adds one; used and last_at are as they are then. expires_at: when the row may be swept. */
MUST_CHECK enum err counter_add(struct task *task, struct db *db, struct counter *counter,
				int64_t now, int64_t expires_at);
/* Fills used and last_at: 0 and 0 when there is none. */
MUST_CHECK enum err counter_get(struct task *task, struct db *db, struct counter *counter);
MUST_CHECK enum err counter_clear(struct task *task, struct db *db, struct str name);
MUST_CHECK enum err counter_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
				  int64_t *ret_deleted);
