/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grants of the token endpoint: authorization_code, refresh_token, client_credentials,
 * token exchange, device_code.
 */
#pragma once

#include "authority/authority.h"
#include "authority/issue.h"
#include "authority/single_use.h"
#include "model/client.h"

/*
 * One call of the token endpoint. Lives in task memory; `then` of each function gets it as its
 * argument.
 */
struct token_wish {
	struct client client;
	struct str code;
	struct str code_verifier;
	struct str redirect_uri; /* STR_NONE: not sent */
	struct str refresh_token;
	struct str device_code;
	struct str scope;    /* STR_NONE: not sent */
	struct str resource; /* STR_NONE: not sent */
	struct str details;  /* authorization_details, JSON; STR_NONE: not sent */
	struct str source;   /* the peer's address */
	struct str request_id;
	struct str jkt;		      /* the key of the DPoP proof; STR_NONE: none was sent */
	struct single_use single_use; /* that proof, and the client's assertion */
	/* of a token exchange (RFC 8693 2.1) */
	struct str subject_token, subject_token_type;
	struct str actor_token, actor_token_type;
	struct str requested_token_type;
	struct str audience;
	struct str actor_label; /* ours: which part of the client is to act */

	bool is_spent;		    /* out: both are, whatever the outcome */
	struct token_answer answer; /* out, on OK */
	struct str
		reason; /* out, with ERR_GRANT: "expired", "idle", "revoked_by_user", "reused", … */
	int64_t retry_after; /* out, with ERR_PAUSED and ERR_THROTTLED: seconds */

	const struct authority *authority; /* from here on the functions' own */
	then_fn *then;
	void *work;
};

/*
 * Burns the code right or wrong verifier, makes a family, answers its first tokens. ERR_REQUEST,
 * ERR_GRANT, ERR_TARGET, ERR_PAUSED; a second valid use later than 10 s after the first ends the
 * family.
 */
MUST_CHECK enum err token_redeem_code(struct task *task, const struct authority *authority,
				      struct token_wish *wish, then_fn *then);
/*
 * RFC 8628 3.4: ERR_PENDING and ERR_SLOW_DOWN until the person has answered, ERR_EXPIRED when they
 * do not, ERR_DENIED; then as token_redeem_code, once.
 */
MUST_CHECK enum err token_poll_device(struct task *task, const struct authority *authority,
				      struct token_wish *wish, then_fn *then);
/* DESIGN 5's rotation. ERR_GRANT with a reason, ERR_SCOPE, ERR_TARGET, ERR_PAUSED. */
MUST_CHECK enum err token_refresh(struct task *task, const struct authority *authority,
				  struct token_wish *wish, then_fn *then);
/* RFC 6749 4.4. ERR_CLIENT_NOT_ALLOWED, ERR_SCOPE, ERR_TARGET. */
MUST_CHECK enum err token_client_credentials(struct task *task, const struct authority *authority,
					     struct token_wish *wish, then_fn *then);
/*
 * RFC 8693: a narrower token for a sub-agent. ERR_CLIENT_NOT_ALLOWED, ERR_REQUEST, ERR_SCOPE,
 * ERR_TARGET, ERR_PAUSED, ERR_THROTTLED (51 live ones of one parent).
 */
MUST_CHECK enum err token_exchange(struct task *task, const struct authority *authority,
				   struct token_wish *wish, then_fn *then);

/* ERR_TARGET unless a `resource` parameter is the granted one, in canonical form (RFC 8707 2.2). */
MUST_CHECK enum err token_check_resource(struct task *task, struct str asked, struct str granted);
