/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registrations that clients made and keep themselves. One that nobody has a grant for is unused,
 * and removed with its client when it has been for long.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/registration.h"

struct task;
struct db;

/* Its client must be there. */
MUST_CHECK enum err registration_insert(struct task *task, struct db *db,
					const struct registration *registration);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err registration_find(struct task *task, struct db *db, struct str client_id,
				      struct registration *ret_registration);
/*
 * Replaces metadata and token of who still has the token of token_hash: of two at once one wins.
 * ERR_TOKEN.
 */
MUST_CHECK enum err registration_update(struct task *task, struct db *db, struct str token_hash,
					const struct registration *registration);
/* Ends it in the same way; the row stays, so that nothing revives the client. ERR_TOKEN. */
MUST_CHECK enum err registration_end(struct task *task, struct db *db, struct str client_id,
				     struct str token_hash, int64_t now);
/*
 * The client of one that has ended stops here and now, if nobody has a grant for it: nothing comes
 * on record, for nothing could be done with it.
 */
MUST_CHECK enum err registration_shut(struct task *task, struct db *db, struct str client_id,
				      int64_t now, bool *ret_is_shut);
/* Somebody allows the client something. Does nothing for one that is not registered by itself. */
MUST_CHECK enum err registration_use(struct task *task, struct db *db, struct str client_id);
/* Unused from now on, if no row of grants is for it any more. */
MUST_CHECK enum err registration_leave(struct task *task, struct db *db, struct str client_id,
				       int64_t now);
/* How many are unused, counted up to limit. */
MUST_CHECK enum err registration_count_unused(struct task *task, struct db *db, int64_t limit,
					      int64_t *ret_count);
/* Those unused since before then, the longest first. */
MUST_CHECK enum err registration_list_unused(struct task *task, struct db *db, int64_t before,
					     int64_t limit, struct registration **ret_list,
					     size_t *ret_count);
/* Of these those that have ended. */
MUST_CHECK enum err registration_list_ended(struct task *task, struct db *db, int64_t before,
					    int64_t limit, struct registration **ret_list,
					    size_t *ret_count);
/*
 * Registration and client, if unused since before then and without a grant; of one that never had
 * any also its events, but the operator's: what strangers bring about lives no longer than they.
 */
MUST_CHECK enum err registration_remove(struct task *task, struct db *db, struct str client_id,
					int64_t before, bool *ret_is_gone);
