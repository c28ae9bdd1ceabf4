/* SPDX-License-Identifier: Apache-2.0 */
/* counters: how often something happened within a window of time; for throttles that all nodes share. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

/* Adds one and answers the new count. expires_at: when the row may be swept. */
MUST_CHECK enum err counter_add(struct task *task, struct db *db, struct str name, int64_t window,
				int64_t now, int64_t expires_at, int64_t *ret_used,
				int64_t *ret_last_at);
/* 0 and 0 when there is none; last_at is when it was last added to. */
MUST_CHECK enum err counter_get(struct task *task, struct db *db, struct str name, int64_t window,
				int64_t *ret_used, int64_t *ret_last_at);
MUST_CHECK enum err counter_clear(struct task *task, struct db *db, struct str name);
MUST_CHECK enum err counter_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
				  int64_t *ret_deleted);
