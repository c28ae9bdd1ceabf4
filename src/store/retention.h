/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that are kept for a time and then deleted, walked through by id in slices, so that no delete
 * holds the writer for long and none needs an index that every refresh would have to write.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct retention_slice {
	struct str after; /* behind this id; "": from the first */
	int64_t before;	  /* what was over earlier is deleted */
	int64_t limit;	  /* so many rows are looked at */

	struct str last; /* where the next slice begins */
	bool is_end;	 /* nothing is behind it */
	int64_t deleted;
};

/* Installations that ended, or that nobody used before their idle limit. */
MUST_CHECK enum err retention_families(struct task *task, struct db *db,
				       struct retention_slice *slice);
/*
 * Grants that were revoked or ran out, with their permissions, once they have no installation left.
 * One that the operator holds paused stays, for that pause must outlive it.
 */
MUST_CHECK enum err retention_grants(struct task *task, struct db *db,
				     struct retention_slice *slice);
/*
 * Events, oldest first, but for the consents that permissions still rest on, or did a shorter time
 * ago than events are kept.
 */
MUST_CHECK enum err retention_events(struct task *task, struct db *db,
				     struct retention_slice *slice);
