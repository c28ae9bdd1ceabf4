/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one gate: the only place that can build a token, for every grant type. It asks decide()
 * itself; nobody hands it a decision. Access tokens are JWT at+jwt (RFC 9068), one audience, never
 * beyond the grant.
 */
#pragma once

#include "authority/authority.h"
#include "authority/decide.h"
#include "authority/refresh_token.h"

struct derivation;

#define TOKEN_TYPE_ACCESS "urn:ietf:params:oauth:token-type:access_token" /* RFC 8693 3 */

struct token_answer {
	struct str access_token;
	struct str refresh_token; /* STR_NONE: none */
	struct str id_token;	  /* STR_NONE: none */
	struct str scope;
	struct str details;		  /* JSON: authorization_details; STR_NONE: none */
	int64_t expires_in;		  /* seconds */
	int64_t authorization_expires_in; /* seconds; -1: until revoked, not said */
	int64_t refresh_token_timeout;	  /* seconds; -1: not said */
	int64_t access_expires_at;	  /* wall ms */
	struct str jti;
	bool is_bound;		      /* token_type DPoP: good with a proof of wish.jkt only */
	struct str issued_token_type; /* of a token exchange (RFC 8693 2.2.1); STR_NONE */
};

/*
 * The scopes a resource offers today with OpenID Connect's; empty when it is gone: for
 * wish.offered.
 */
struct scope_set issue_offered(struct task *task, const struct authority *authority,
			       struct str resource_uri);
/*
 * The key set (crypto/keys.h) that signs for a resource: everybody's, or one of its own where its
 * tokens must not pass anywhere else.
 */
struct str issue_purpose(struct arena *arena, const struct resource *resource);
/*
 * The error of a denying verdict, with its reason noted: ERR_PAUSED, ERR_SCOPE, ERR_TARGET,
 * ERR_DETAILS, ERR_GRANT.
 */
enum err issue_refusal(struct task *task, const struct verdict *verdict);

/*
 * No token, but a signed answer about one (RFC 9701 5), for the caller named by `audience`: answer
 * is the JSON object of introspection.
 */
MUST_CHECK enum err issue_introspection(struct task *task, const struct authority *authority,
					struct str audience, struct str answer,
					struct str *ret_jwt);

/* How long an access token for that resource lives at most, in ms. */
int64_t issue_lifetime(const struct authority *authority, const struct resource *resource);

/* A token under a family. */
struct issue_order {
	const struct standing *standing;
	const struct wish *wish;
	bool is_renewable; /* with the family's current refresh token */
	/*
	 * A refresh token that was presented, whose root key was checked: its tag is checked too,
	 * and what is made will be the answer once the rotation is kept; until then it leaves
	 * nothing. standing->family is as it will be then. NULL: nobody presented one.
	 */
	const struct refresh_token *presented;
	/*
	 * Derived from another token of the family, as it was written down: the same again when it
	 * is asked for again. wish->delegation says who has it. NULL: it is not.
	 */
	const struct derivation *derivation;
};

/* ERR_GRANT, ERR_PAUSED, ERR_SCOPE, ERR_TARGET as decide() says; ERR_GRANT for another's tag. */
MUST_CHECK enum err issue_tokens(struct task *task, const struct authority *authority,
				 const struct issue_order *order, struct token_answer *ret_answer);
/*
 * The same, in one question to the key holder with those of other tasks. ERR_PARKED: `then` goes
 * on with the result; else it stands, and `then` is not called. order may go.
 */
MUST_CHECK enum err issue_tokens_with_others(struct task *task, const struct authority *authority,
					     const struct issue_order *order,
					     struct token_answer *ret_answer, then_fn *then,
					     void *arg);

struct client_order {
	const struct client *client;
	const struct resource *resource;
	struct scope_set scope;
	struct str jkt; /* as of a wish */
};

/*
 * For a client as itself: no grant, dies with the client or by its not_before. ERR_PARKED as of
 * issue_tokens_with_others.
 */
MUST_CHECK enum err issue_client_token(struct task *task, const struct authority *authority,
				       const struct client_order *order,
				       struct token_answer *ret_answer, then_fn *then, void *arg);
/* OIDC Core 2: for the client, about the person's sign-in. nonce may be STR_NONE. */
MUST_CHECK enum err issue_id_token(struct task *task, const struct authority *authority,
				   const struct standing *standing, struct str nonce,
				   struct str access_token, struct str *ret_token);
