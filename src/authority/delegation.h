/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store says now of a token that was derived from another one: whether it or what it came
 * from was ended, whether the person stopped who acts, and the clients in between.
 */
#pragma once

#include "authority/verify.h"
#include "store/derivations.h"

struct arena;
struct db;

/*
 * The jti of the one token that this subject becomes (RFC 8693). So a subject that is exchanged
 * again meets the row of the first time, and what hangs on a token is found without an index.
 */
struct str delegation_jti(struct arena *arena, struct str subject_jti);
/* The token, and all that was derived from it. *ret_now: it had not ended before. */
MUST_CHECK enum err delegation_revoke(struct task *task, struct db *db,
				      const struct derivation *token, bool *ret_now);
/*
 * For a token whose act is not empty, and whose standing was read. In task memory. ERR_TOKEN: we do
 * not know it (any more).
 */
MUST_CHECK enum err delegation_find(struct task *task, struct db *db, const struct access *access,
				    const struct delegation **ret_delegation);
