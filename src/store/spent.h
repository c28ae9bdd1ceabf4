/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spent: what was shown and holds once (DPoP proofs, client assertions), by a hash, until nobody
 * would accept it any more. It goes into the transaction of what it was shown for, so a replay has
 * one winner among all nodes, and a restart forgets nothing.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct spent {
	struct str name; /* a hash; STR_NONE: nothing was shown */
	int64_t ends_at; /* wall ms: from then on it is refused for its age */
};

/* Spends it. ERR_CONFLICT when it was spent already and is not over. */
MUST_CHECK enum err spent_take(struct task *task, struct db *db, const struct spent *spent,
			       int64_t now);
/* Deletes at most limit that are over. */
MUST_CHECK enum err spent_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
				int64_t *ret_deleted);
