/* SPDX-License-Identifier: Apache-2.0 */
/* What a restore does to all rows of a kind at once: authority/restore. */
#pragma once

#include "base/err.h"
#include "model/grant.h"

struct task;
struct db;

/* The time of the newest event that no restore leaves; 0: there is none. */
MUST_CHECK enum err restoring_newest_other(struct task *task, struct db *db, int64_t *ret_at);
/* Every live grant, until its person confirms; one that its person paused stays theirs. */
MUST_CHECK enum err restoring_pause_grants(struct task *task, struct db *db, int64_t now,
					   int64_t *ret_paused);
struct restored_page {
	int64_t restored_at;
	struct str after; /* behind this id; "": from the first */
	int64_t limit;
};

/* Those, by id, without permissions. */
MUST_CHECK enum err restoring_list_paused(struct task *task, struct db *db,
					  const struct restored_page *page,
					  struct grant **ret_grants, size_t *ret_count);
/* Every installation: where nobody remembers which of them had ended. */
MUST_CHECK enum err restoring_end_families(struct task *task, struct db *db, int64_t now,
					   int64_t *ret_ended);
/* All sign-ins, and the questions and codes that were under way. */
MUST_CHECK enum err restoring_end_sessions(struct task *task, struct db *db, int64_t now);
MUST_CHECK enum err restoring_count(struct task *task, struct db *db, int64_t *ret_clients,
				    int64_t *ret_grants, int64_t *ret_without_key);
