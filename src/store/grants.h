/* SPDX-License-Identifier: Apache-2.0 */
/* grants and permissions. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/grant.h"

struct task;
struct db;

/*
 * A yes: inserts the grant, or, when a live one (not revoked) for the same user, client and
 * resource is there, adds to it and un-pauses nothing, nor is a pause of the operator shaken off by
 * ending the grant first; the families of one whose end had passed are
 * over, and those that had a permission which is put and was over have it no more.
 * *ret_id is the id of the row that holds now. Permissions of
 * *grant are inserted or replaced; those it does not name stay as they are.
 */
MUST_CHECK enum err grant_put(struct task *task, struct db *db, const struct grant *grant,
			      struct str *ret_id);
/* With its permissions, in task memory. ERR_NOT_FOUND. */
MUST_CHECK enum err grant_find(struct task *task, struct db *db, struct str id,
			       struct grant *ret_grant);
/* Without them. ERR_NOT_FOUND. */
MUST_CHECK enum err grant_find_alone(struct task *task, struct db *db, struct str id,
				     struct grant *ret_grant);
/* The live one of these three. ERR_NOT_FOUND. */
MUST_CHECK enum err grant_find_live(struct task *task, struct db *db, struct str user_id,
				    struct str client_id, struct str resource,
				    struct grant *ret_grant);
/* Whether that person allows that client anything right now. */
MUST_CHECK enum err grant_is_there(struct task *task, struct db *db, struct str user_id,
				   struct str client_id, bool *ret_is);
struct grant_page {
	struct str user_id; /* STR_NONE: everybody's */
	struct str after;   /* behind this id; STR_NONE: from the first */
	int64_t limit;
};

/* Newest first, with permissions. */
MUST_CHECK enum err grant_list(struct task *task, struct db *db, const struct grant_page *page,
			       struct grant **ret_grants, size_t *ret_count);
/*
 * The person's pause, and the operator's. paused_at 0: ends it. ERR_CONFLICT when it was revoked.
 */
MUST_CHECK enum err grant_set_paused(struct task *task, struct db *db, struct str id,
				     int64_t paused_at, int64_t now);
MUST_CHECK enum err grant_set_operator_paused(struct task *task, struct db *db, struct str id,
					      int64_t paused_at, int64_t now);
/*
 * Moves last_used_at on to now, and is exact to the minute: where the grant, as it was read, was
 * used within the last, the database is asked nothing. So a refresh seldom writes a second row.
 */
MUST_CHECK enum err grant_note_use(struct task *task, struct db *db, const struct grant *grant,
				   int64_t now);
/* Pauses every live grant of the person that is not paused; answers these, without permissions. */
MUST_CHECK enum err grant_pause_all(struct task *task, struct db *db, struct str user_id,
				    int64_t now, struct grant **ret_grants, size_t *ret_count);
/* Takes the row first, so that what is judged stays true until the commit. ERR_NOT_FOUND. */
MUST_CHECK enum err grant_take(struct task *task, struct db *db, struct str id);
/*
 * Ends grant and all its families, in this transaction. OK also when it was revoked already
 * (*ret_now false).
 */
MUST_CHECK enum err grant_revoke(struct task *task, struct db *db, struct str id, int64_t now,
				 struct str by, bool *ret_now);
/*
 * Sets the end of every permission that is not over (or of the one named, unless STR_NONE) and of
 * the grant. ERR_CONFLICT: revoked. ERR_NOT_FOUND: it has no such permission.
 */
MUST_CHECK enum err grant_set_end(struct task *task, struct db *db, struct str id, struct str scope,
				  int64_t expires_at, int64_t now);
/*
 * Takes one permission away, also from the ceilings of its installations; the grant stays with the
 * others. ERR_NOT_FOUND.
 */
MUST_CHECK enum err grant_remove_permission(struct task *task, struct db *db, struct str id,
					    struct str scope, int64_t now);
struct grant_span {
	int64_t from;
	int64_t to;
	int64_t limit;
};

/* Live grants whose end passed between the two times: for on_stop at expiry. */
MUST_CHECK enum err grant_list_expired(struct task *task, struct db *db,
				       const struct grant_span *span, struct grant **ret_grants,
				       size_t *ret_count);
struct client_page {
	struct str client_id;
	struct str after; /* behind this id; "": from the first */
	int64_t limit;
};

/* The client's grants that were not revoked, by id, without permissions: for on_stop. */
MUST_CHECK enum err grant_list_client(struct task *task, struct db *db,
				      const struct client_page *page, struct grant **ret_grants,
				      size_t *ret_count);
