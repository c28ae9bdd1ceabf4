/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/session.h"
#include "model/user.h"

struct task;
struct db;

MUST_CHECK enum err session_insert(struct task *task, struct db *db, const struct session *session);
struct signed_in {
	struct session session;
	struct user user;
};

/*
 * By the SHA-256 of its cookie, with its person; also one that is over (the caller looks at the
 * times). ERR_NOT_FOUND.
 */
MUST_CHECK enum err session_find(struct task *task, struct db *db, struct str hash,
				 struct signed_in *ret_found);
/* Moves last_seen_at on. */
MUST_CHECK enum err session_touch(struct task *task, struct db *db, struct str hash, int64_t now);
MUST_CHECK enum err session_end(struct task *task, struct db *db, struct str hash, int64_t now);
/* All of the person's live ones except `keep` (STR_NONE: all). */
MUST_CHECK enum err session_end_all(struct task *task, struct db *db, struct str user_id,
				    struct str keep, int64_t now, int64_t *ret_ended);
/* Live ones, newest first. */
MUST_CHECK enum err session_list(struct task *task, struct db *db, struct str user_id, int64_t now,
				 struct session **ret_sessions, size_t *ret_count);
/*
 * True if this browser signed in as this person in the last 90 days (throttling counts it by
 * itself).
 */
MUST_CHECK enum err session_knows_browser(struct task *task, struct db *db, struct str user_id,
					  struct str browser_hash, int64_t now, bool *ret_known);
/* Deletes sessions that ended or ran out before `before`, at most limit. */
MUST_CHECK enum err session_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
				  int64_t *ret_deleted);
