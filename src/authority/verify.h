/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does this access token stand? The signature may come from a cache (by hash, at most 1 s); the
 * state of user, client, grant and family is looked at for every call, and sub, client, aud and
 * family are compared with the grant's row, so that even a forged token never exceeds a grant.
 */
#pragma once

#include "authority/authority.h"
#include "authority/decide.h"

struct access {
	struct str jti;
	struct str client_id;
	struct str sub;
	struct str audience;
	struct str grant_id; /* STR_NONE for a client as itself */
	struct str family_id;
	struct str acr;
	struct str jkt; /* bound to that key: whoever carries it must prove it; STR_NONE: bearer */
	int64_t issued_at;
	int64_t expires_at;
	int64_t auth_time;	/* wall ms; 0: none */
	struct scope_set scope; /* of the token; once it was judged, what of it holds now */
	struct details details; /* what of it only (RFC 9396); the same */
	struct act act;		/* who acts through the grant's client; depth 0: nobody */
	const struct delegation *delegation; /* the same with their clients, once it was judged */
	/* what the store says now, where there is a grant */
	struct str username;
	struct standing standing;
};

/* ERR_TOKEN with the reason; ERR_PAUSED. Reads the store. */
MUST_CHECK enum err access_token_verify(struct task *task, const struct authority *authority,
					struct str token, struct access *ret_access);
/*
 * Signature, form and time only, for /revoke: the names in the token, not whether it stands.
 * ERR_TOKEN.
 */
MUST_CHECK enum err access_token_read(struct task *task, const struct authority *authority,
				      struct str token, struct access *ret_access);

/* RFC 7662: what one caller may know of one token. */
struct introspection {
	struct str token;
	const struct resource
		*resource; /* the asking resource server's: it sees tokens for itself only */
	const struct client *client; /* without a resource: a client, which sees its own tokens */
	bool active;	      /* out; everything the caller may not know looks alike: false */
	struct access access; /* out, when active; a refresh token has no audience */
};

/* A refresh token is shown to its own client only. Reads the store. */
MUST_CHECK enum err token_introspect(struct task *task, const struct authority *authority,
				     struct introspection *introspection);
