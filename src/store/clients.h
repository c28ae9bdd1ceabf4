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
 * and their algorithm, dpop_bound_at, delegates. ERR_NOT_FOUND.
 */
MUST_CHECK enum err client_update(struct task *task, struct db *db, const struct client *client);
