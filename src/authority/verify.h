/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does this access token stand? The signature may come from a cache (by hash, at most 1 s); the state of user,
 * client, grant and family is looked at for every call, and sub, client, aud and family are compared with the
 * grant's row, so that even a forged token never exceeds a grant.
 */
#pragma once

#include "authority/authority.h"
#include "authority/decide.h"

struct access {
	struct str jti;
	struct str client_id;
	struct str sub;
	struct str username; /* STR_NONE for a client as itself */
	struct str audience;
	struct scope_set scope; /* what of the token's scopes holds now */
	struct str grant_id;	/* STR_NONE for a client as itself */
	struct str family_id;
	int64_t issued_at;
	int64_t expires_at;
	int64_t auth_time; /* wall ms; 0: none */
	struct str acr;
	struct standing standing; /* where there is a grant */
};

/* ERR_TOKEN with the reason; ERR_PAUSED. Reads the store. */
MUST_CHECK enum err access_token_verify(struct task *task, const struct authority *authority,
					struct str token, struct access *ret_access);
/* Signature, form and time only, for /revoke: the names in the token, not whether it stands. ERR_TOKEN. */
MUST_CHECK enum err access_token_read(struct task *task, const struct authority *authority,
				      struct str token, struct access *ret_access);

/*
 * RFC 7662: what the caller may know of a token. resource is the asking resource server's (it sees only tokens
 * for itself), or NULL: then client's own. *ret_active false for everything else. A refresh token is shown to
 * its own client only (ret_access then has no audience).
 */
MUST_CHECK enum err token_introspect(struct task *task, const struct authority *authority,
				     struct str token, const struct resource *resource,
				     const struct client *client, bool *ret_active,
				     struct access *ret_access);
