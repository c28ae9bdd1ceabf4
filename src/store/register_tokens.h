/* SPDX-License-Identifier: Apache-2.0 */
/* Initial access tokens (RFC 7591 3), by the hash of what was shown once. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "model/registration.h"

struct task;
struct db;

MUST_CHECK enum err register_token_insert(struct task *task, struct db *db,
					  const struct register_token *token,
					  struct str token_hash);
/* One use of it; *ret_id is which it was. ERR_TOKEN: unknown, revoked, run out or used up. */
MUST_CHECK enum err register_token_spend(struct task *task, struct db *db, struct str token_hash,
					 int64_t now, struct str *ret_id);
/* Could it be spent now? Uses up nothing. ERR_TOKEN. */
MUST_CHECK enum err register_token_check(struct task *task, struct db *db, struct str token_hash,
					 int64_t now);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err register_token_find(struct task *task, struct db *db, struct str id,
					struct register_token *ret_token);
MUST_CHECK enum err register_token_list(struct task *task, struct db *db, struct str after,
					int64_t limit, struct register_token **ret_tokens,
					size_t *ret_count);
/* ERR_NOT_FOUND: there is none that is not revoked. */
MUST_CHECK enum err register_token_revoke(struct task *task, struct db *db, struct str id,
					  int64_t now);
/* A restored database knows neither which were revoked since nor how often they were used. */
MUST_CHECK enum err register_token_revoke_all(struct task *task, struct db *db, int64_t now);
/* Those that ran out before then. */
MUST_CHECK enum err register_token_sweep(struct task *task, struct db *db, int64_t before,
					 int64_t limit, int64_t *ret_deleted);
