/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one gate: the only place that can build a token, for every grant type. It asks decide()
 * itself; nobody hands it a decision. Access tokens are JWT at+jwt (RFC 9068), one audience, never
 * beyond the grant.
 */
#pragma once

#include "authority/authority.h"
#include "authority/decide.h"

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

struct refresh_token {
	uint32_t root_number;
	struct str family_id;
	int64_t generation;
	struct str tag;
};

/*
 * Under a family: an access token, and with it the family's current refresh token when it
 * is_renewable. ERR_GRANT, ERR_PAUSED, ERR_SCOPE, ERR_TARGET as decide() says.
 */
MUST_CHECK enum err issue_tokens(struct task *task, const struct authority *authority,
				 const struct standing *standing, const struct wish *wish,
				 bool is_renewable, struct token_answer *ret_answer);
/*
 * For who presents a refresh token whose root key was checked: checks its tag, and makes what will
 * be the answer once the rotation is kept; until then it leaves nothing. standing->family is as it
 * will be then. ERR_GRANT, and as issue_tokens. One question to the key holder instead of three.
 */
MUST_CHECK enum err issue_successor(struct task *task, const struct authority *authority,
				    const struct refresh_token *presented,
				    const struct standing *standing, const struct wish *wish,
				    struct token_answer *ret_answer);
/*
 * A token that was derived from another one of the family, as it was written down: the same again
 * when it is asked for again. wish->delegation says who has it. ERR_GRANT and as issue_tokens.
 */
struct derivation;
MUST_CHECK enum err issue_derived(struct task *task, const struct authority *authority,
				  const struct standing *standing, const struct wish *wish,
				  const struct derivation *derivation,
				  struct token_answer *ret_answer);
struct client_order {
	const struct client *client;
	const struct resource *resource;
	struct scope_set scope;
	struct str jkt; /* as of a wish */
};

/* For a client as itself: no grant, dies with the client or by its not_before. */
MUST_CHECK enum err issue_client_token(struct task *task, const struct authority *authority,
				       const struct client_order *order,
				       struct token_answer *ret_answer);
/* OIDC Core 2: for the client, about the person's sign-in. nonce may be STR_NONE. */
MUST_CHECK enum err issue_id_token(struct task *task, const struct authority *authority,
				   const struct standing *standing, struct str nonce,
				   struct str access_token, struct str *ret_token);

/* Takes a refresh token apart: form and CRC only. ERR_GRANT. */
MUST_CHECK enum err refresh_token_parse(struct task *task, struct str text,
					struct refresh_token *ret_token);
/*
 * ERR_GRANT unless the root key it names is the one by which a token of the family with its
 * generation was made, and one that we have. ERR_BUSY when this node's file lacks the key of a
 * family that lives.
 */
MUST_CHECK enum err refresh_token_check_root(struct task *task, const struct authority *authority,
					     const struct refresh_token *token,
					     const struct family *family);
/* That, and ERR_GRANT unless the tag is ours for that family. */
MUST_CHECK enum err refresh_token_check(struct task *task, const struct authority *authority,
					const struct refresh_token *token,
					const struct family *family);
