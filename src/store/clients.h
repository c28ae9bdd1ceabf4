/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "model/client.h"

struct task;
struct db;

/* ERR_CONFLICT when the id is taken. */
MUST_CHECK enum err client_insert(struct task *task, struct db *db, const struct client *client);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err client_find(struct task *task, struct db *db, struct str id,
				struct client *ret_client);
MUST_CHECK enum err client_list(struct task *task, struct db *db, struct str after, int64_t limit,
				struct client **ret_clients, size_t *ret_count);
/* disabled_at: 0 enables; not_before only ever goes up. ERR_NOT_FOUND. */
MUST_CHECK enum err client_set_disabled(struct task *task, struct db *db, struct str id,
					int64_t disabled_at, int64_t not_before);
/*
 * Replaces name, redirect URIs, grant types, scope, default resource, authentication, secret, keys
 * and their algorithm, what is said of DPoP and PAR and by whom, refresh_kept_at, delegates.
 * ERR_NOT_FOUND.
 */
MUST_CHECK enum err client_update(struct task *task, struct db *db, const struct client *client);
/*
 * In the transaction of client_update: a restore must not bring back what it replaced. Each is a
 * line on disk for good (store/ended.h), so not for a client that nobody ever allowed anything.
 */
void client_note_replaced(struct task *task, struct db *db, struct str id);
/*
 * For store/documents.h: the client that a document makes, of the kind it says. It is added if it
 * is not there; with replace, what a document can say is replaced, but of DPoP and PAR what the
 * operator set. ERR_CONFLICT: it is of another kind.
 */
MUST_CHECK enum err client_put_document(struct task *task, struct db *db,
					const struct client *client, bool replace);
/*
 * Of whom that person has an idea: the operator's, and those they once allowed something. Only id
 * and name are filled; at most limit.
 */
MUST_CHECK enum err client_list_trusted(struct task *task, struct db *db, struct str user_id,
					int64_t limit, struct client **ret_clients,
					size_t *ret_count);
/* Has anybody (user_id STR_NONE), or that person, ever allowed the client something? */
MUST_CHECK enum err client_was_allowed(struct task *task, struct db *db, struct str id,
				       struct str user_id, bool *ret_was);
