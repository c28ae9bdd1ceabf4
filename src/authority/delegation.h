/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store says now of a token that was derived from another one: whether it or what it came
 * from was ended, whether the person stopped who acts, and the clients in between.
 */
#pragma once

#include "authority/verify.h"

struct arena;
struct db;
struct derivation;

/*
 * The jti of the one token that this subject becomes (RFC 8693), in the arena. A subject that is
 * exchanged again meets the row of the first time, for parent and family are its own as well; and
 * what hangs on a token is found without an index. No secret: who knows the one can tell the other.
 */
struct str delegation_jti(struct arena *arena, struct str subject_jti);
/*
 * Ends the token, named by its key and its path, and all that was derived from it. *ret_now: it had
 * not ended before. Who calls has taken the family's row.
 */
MUST_CHECK enum err delegation_revoke(struct task *task, struct db *db,
				      const struct derivation *token, bool *ret_now);
/*
 * For a token whose act is not empty, and whose standing was read. In task memory. ERR_TOKEN: we do
 * not know it (any more).
 */
MUST_CHECK enum err delegation_find(struct task *task, struct db *db, const struct access *access,
				    const struct delegation **ret_delegation);
