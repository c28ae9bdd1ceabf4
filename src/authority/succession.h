/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a family is once its current refresh token was used: rotated, or the same (RFC 9700 4.14.2).
 */
#pragma once

#include "authority/token.h"
#include "model/family.h"
#include "model/standing.h"

struct succession {
	const struct refresh_token *token; /* as presented, and good */
	uint32_t root_number;		   /* the current one */
};

/*
 * rotation_judge of a token of the standing's family. After a restore that was announced, an
 * installation that got further than the copy goes on from where it is, once: its person has
 * confirmed the grant since (one that is still paused is not let go on). Whoever comes from further
 * ahead after that holds a second copy of the tokens.
 */
enum rotation family_judge(const struct standing *standing, int64_t generation, int64_t now);
/*
 * True when a copy of the token is of no use without the client's key: a token of this family need
 * not rotate. A secret is no such key, it travels with each request; a key that a confidential
 * client with a secret shows must be the one it showed before.
 */
bool family_is_constrained(const struct token_wish *wish, const struct family *family);
/*
 * The family with the successor of that token current, or still the same one where the client's
 * refresh tokens stay; bound from then on when a proof came. A token made by an older root key is
 * replaced in any case.
 */
struct family family_successor(const struct task *task, const struct token_wish *wish,
			       const struct succession *succession, const struct family *from);
