/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throttles: what was counted of guesses by every node of an installation together. Written for
 * what was refused, never for what was right, and only where there may be other nodes.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct throttle_row {
	struct str name; /* a hash of who is counted and for what */
	int64_t used;
	int64_t ends_at; /* of the window */
};

/*
 * Adds `more` to the window that is open at `now`, or to a new one that ends at row->ends_at. used
 * and ends_at are as they are then.
 */
MUST_CHECK enum err throttle_row_add(struct task *task, struct db *db, struct throttle_row *row,
				     int64_t more, int64_t now);
/* Deletes windows that are over, `limit` at most. */
MUST_CHECK enum err throttle_row_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
				       int64_t *ret_deleted);
