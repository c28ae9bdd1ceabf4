/* SPDX-License-Identifier: Apache-2.0 */
/* users, user_keys and authenticators: who can sign in, and with what. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/user.h"

struct task;
struct db;

/* With its person key. ERR_CONFLICT when the name is taken. */
MUST_CHECK enum err user_insert(struct task *task, struct db *db, const struct user *user);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err user_find(struct task *task, struct db *db, struct str id,
			      struct user *ret_user);
/* Of who is known to be there, what seals for them: the wrapped data key. ERR_NOT_FOUND. */
MUST_CHECK enum err user_find_key(struct task *task, struct db *db, struct str id,
				  struct str *ret_wrapped);
MUST_CHECK enum err user_find_by_name(struct task *task, struct db *db, struct str username,
				      struct user *ret_user);
/* All, by name; at most limit, behind the name `after` (STR_NONE: from the first). */
MUST_CHECK enum err user_list(struct task *task, struct db *db, struct str after, int64_t limit,
			      struct user **ret_users, size_t *ret_count);
/* disabled_at: 0 enables. ERR_NOT_FOUND. */
MUST_CHECK enum err user_set_disabled(struct task *task, struct db *db, struct str id,
				      int64_t disabled_at);
/*
 * Takes the row first (SQL_TAKING), so that the answer stays true until the commit: may
 * this person do anything? ERR_NOT_FOUND.
 */
MUST_CHECK enum err user_take(struct task *task, struct db *db, struct str id, bool *ret_active);
/* For init's check of an empty installation. */
MUST_CHECK enum err user_count(struct task *task, struct db *db, int64_t *ret_count);

/* The password's PHC hash, sealed at (authenticators, user_id, password, version). */
struct authenticator {
	struct str user_id;
	struct str kind; /* "password" */
	struct str sealed;
	int64_t version;
	int64_t created_at;
	int64_t changed_at;
};

/* ERR_NOT_FOUND. */
MUST_CHECK enum err authenticator_find(struct task *task, struct db *db, struct str user_id,
				       struct str kind, struct authenticator *ret_authenticator);
/*
 * Takes the row if it still has that version, so that what was checked against it stays true until
 * the commit. ERR_CONFLICT: it was changed meanwhile.
 */
MUST_CHECK enum err authenticator_take(struct task *task, struct db *db, struct str user_id,
				       struct str kind, int64_t version);
/* Inserts or replaces; the stored version must be authenticator->version - 1, else ERR_CONFLICT. */
MUST_CHECK enum err authenticator_put(struct task *task, struct db *db,
				      const struct authenticator *authenticator);
/* One that was changed before: what it was replaced by is not known any more. */
MUST_CHECK enum err authenticator_delete_older(struct task *task, struct db *db, struct str user_id,
					       struct str kind, int64_t at);
