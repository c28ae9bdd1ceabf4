/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which key a token is bound to, and whose a family is (RFC 9449 5): the rules that the grants of
 * the token endpoint share. The key itself was proven before (dpop.h).
 */
#pragma once

#include "authority/token.h"
#include "model/family.h"

/*
 * The key that a token for this resource is to be bound to: that of the proof, or none where the
 * resource cannot check proofs. ERR_DPOP, ERR_TARGET for a client that must have bound tokens.
 */
MUST_CHECK enum err binding_choose(struct task *task, const struct token_wish *wish,
				   const struct resource *resource, struct str *ret_jkt);
/*
 * The family of a public client is its key's. A confidential client shows who it is at each call
 * and may take a new key, but a bound family never gives bearer tokens again.
 */
bool binding_fits(const struct token_wish *wish, const struct family *family);
/*
 * True when another client has the family's token, or somebody without its key a superseded one:
 * copies in other hands. Who shows another key has it from somebody; who shows none may be an
 * installation whose copy somebody bound, so it is judged as any reuse is, and refused within the
 * windows of a repeat. The current one without the key is of no use to who has it, and a family
 * that is over tells its own installation why.
 */
bool binding_is_stolen(const struct token_wish *wish, const struct family *family,
		       int64_t generation, int64_t now);
