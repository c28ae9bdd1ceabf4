/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a decided request to the first tokens of a new family, once: what codes and device codes
 * have in common. For the grants of token.h only.
 */
#pragma once

#include "authority/token.h"
#include "model/auth_request.h"
#include "model/event.h"
#include "model/standing.h"

/* wish->work of these grants. */
struct redemption {
	struct auth_request request;
	struct standing standing;
	struct wish wish;
	struct str code_hash;
	struct details asked; /* narrower ones for this token (RFC 9396 6) */
	struct str jkt;	      /* that the access token is bound to */
	enum err refused;     /* the code is burned, and this is the answer; known before */
	struct str refused_why;
	enum err judged; /* the same, as of the transaction */
	struct str judged_why;
	struct key_sealed seen; /* where it is redeemed from */
	bool ended;		/* the family, by this second use, */
	bool is_lost;		/* as who got no answer asks again */
	struct event event;
};

/* The key that the tokens are to be bound to, into redemption->jkt; as binding_choose. */
MUST_CHECK enum err redemption_bind(struct task *task, const struct token_wish *wish);
/*
 * Burns redemption->request, whose code has code_hash. refused: the answer all the same, because of
 * `why`; OK: tokens. Parks; ERR_GRANT when somebody else was faster.
 */
MUST_CHECK enum err redemption_start(struct task *task, struct token_wish *wish, enum err refused,
				     struct str why);
/*
 * The code was used before: ERR_GRANT. When it is_valid and that was no double request (within 10
 * s; of a device 3 s), its family ends first; for a device whose family never refreshed, as
 * probably a lost answer.
 */
MUST_CHECK enum err redemption_refuse_spent(struct task *task, struct token_wish *wish,
					    bool is_valid);
