/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permissions: what a grant gives, one per scope. The grant says whose they are, by id and user_id;
 * who changes them has taken its row.
 */
#pragma once

#include "base/err.h"
#include "model/grant.h"

struct task;
struct db;

/* Inserted or replaced, with since_yes as *permission has it. */
MUST_CHECK enum err permission_put(struct task *task, struct db *db, const struct grant *grant,
				   const struct permission *permission);
/*
 * The end of the one named, or, for STR_NONE, of all that are not over at the grant's updated_at.
 * ERR_NOT_FOUND.
 */
MUST_CHECK enum err permission_set_end(struct task *task, struct db *db, const struct grant *grant,
				       struct str scope, int64_t expires_at);
/*
 * Before a yes is put: as if the scope were over, so that what the grant's earlier yeses let in has
 * it no more. One that is over needs no such word.
 */
MUST_CHECK enum err permission_begin_anew(struct task *task, struct db *db,
					  const struct grant *grant, struct str scope);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err permission_delete(struct task *task, struct db *db, const struct grant *grant,
				      struct str scope);
