/* SPDX-License-Identifier: Apache-2.0 */
/* families: the lines of refresh tokens. A rotation is one conditional UPDATE. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/family.h"
#include "model/standing.h"

struct task;
struct db;

MUST_CHECK enum err family_insert(struct task *task, struct db *db, const struct family *family);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err family_find(struct task *task, struct db *db, struct str id,
				struct family *ret_family);
/*
 * The fast path of a refresh: stores *next (generation, marks, last use, idle end) if the row still
 * has generation `presented` and is neither revoked nor paused. ERR_CONFLICT otherwise: then take
 * the row with family_take and judge.
 */
MUST_CHECK enum err family_rotate(struct task *task, struct db *db, const struct family *next,
				  int64_t presented);
/* By which root key its refresh tokens are made, since when, and by which before. */
MUST_CHECK enum err family_set_root(struct task *task, struct db *db, const struct family *family);
/* Binds it to its key, after family_rotate has taken the row. */
MUST_CHECK enum err family_set_key(struct task *task, struct db *db, const struct family *family);
/* Takes the row first (SQL_TAKING), so that what is judged stays true until the commit. */
MUST_CHECK enum err family_take(struct task *task, struct db *db, struct str id,
				struct family *ret_family);
/* The same for who hangs something on it. ERR_NOT_FOUND; ERR_CONFLICT: it is over. */
MUST_CHECK enum err family_take_live(struct task *task, struct db *db, struct str id);
/* Takes all of a grant that have not ended. */
MUST_CHECK enum err family_take_all(struct task *task, struct db *db, struct str grant_id,
				    struct family **ret_families, size_t *ret_count);
/* Stores the count of repeats of a taken family. */
MUST_CHECK enum err family_set_repeats(struct task *task, struct db *db,
				       const struct family *family);
/* Takes the scope out of the ceilings of the grant's installations: it is over for all of them. */
MUST_CHECK enum err family_lose_scope(struct task *task, struct db *db, struct str grant_id,
				      struct str scope);
/* Ends the family. *ret_now is false when it was over already. */
MUST_CHECK enum err family_revoke(struct task *task, struct db *db, struct str id, int64_t now,
				  struct str why, bool *ret_now);
/* paused_at: 0 lets it go on. ERR_CONFLICT: it is over. */
MUST_CHECK enum err family_set_paused(struct task *task, struct db *db, struct str id,
				      int64_t paused_at);
/* And what of it only; of a taken family. ERR_CONFLICT: it is over. */
MUST_CHECK enum err family_set_ceiling(struct task *task, struct db *db,
				       const struct family *family);
/* sealed: STR_NONE takes the name away. ERR_CONFLICT: it is over. */
MUST_CHECK enum err family_set_name(struct task *task, struct db *db, struct str id,
				    struct str sealed, int64_t now);
MUST_CHECK enum err family_set_seen(struct task *task, struct db *db, struct str id,
				    const struct family_seen *seen);
MUST_CHECK enum err family_find_about(struct task *task, struct db *db, struct str id,
				      struct family_about *ret_about);
/* Of one grant, newest first. */
MUST_CHECK enum err family_list(struct task *task, struct db *db, struct str grant_id,
				struct family **ret_families, size_t *ret_count);

/* Those of one grant that are live, `most` at most. */
struct family_page {
	struct str grant_id;
	int64_t now;
	int64_t most;
};
MUST_CHECK enum err family_list_live(struct task *task, struct db *db,
				     const struct family_page *page, struct family **ret_families,
				     size_t *ret_count);

/* What a decision looks at, in one or two reads. ERR_NOT_FOUND. */
MUST_CHECK enum err standing_find_by_family(struct task *task, struct db *db, struct str family_id,
					    struct standing *ret_standing);
MUST_CHECK enum err standing_find_by_grant(struct task *task, struct db *db, struct str grant_id,
					   struct standing *ret_standing);
