/* SPDX-License-Identifier: Apache-2.0 */
/* The agent as registered (RFC 6749 client). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "model/scope.h"

struct task;

#define CLIENT_ID_MAX	  128
#define CLIENT_NAME_MAX	  128
#define CLIENT_SECRET_MIN 32
#define CLIENT_REDIRECTS  16
#define CLIENT_DELEGATES  16

/* RFC 8693 2.1 */
#define TOKEN_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
/* RFC 8628 3.4 */
#define DEVICE_CODE "urn:ietf:params:oauth:grant-type:device_code"

enum client_auth {
	CLIENT_AUTH_NONE,
	CLIENT_AUTH_BASIC,
	CLIENT_AUTH_POST,
	CLIENT_AUTH_PRIVATE_KEY, /* private_key_jwt: its keys are in jwks, or at jwks_uri */
};

enum client_status { CLIENT_ACTIVE, CLIENT_DISABLED };

/* Bits of client.grant_types. */
enum grant_type {
	GRANT_AUTHORIZATION_CODE = 1,
	GRANT_REFRESH_TOKEN = 2,
	GRANT_CLIENT_CREDENTIALS = 4,
	GRANT_TOKEN_EXCHANGE = 8,
	GRANT_DEVICE_CODE = 16,
};

struct client {
	struct str id;
	struct str name; /* as claimed */
	/* "operator": registered by the operator; "registered": by itself (RFC 7591) */
	struct str kind;
	enum client_auth auth;
	struct str
		/* SHA-256 of 256 random bits or of a long secret; STR_NONE for public ones */
		secret_hash;
	int64_t secret_expires_at; /* 0: never */
	const struct str *redirect_uris;
	size_t redirect_count;
	unsigned grant_types;
	/*
	 * of an operator's client the most it can be allowed (empty: whatever the resource offers),
	 * of others only what it is taken to ask for when it does not say
	 */
	struct scope_set scope;
	struct str resource;	       /* URI of the default resource; STR_NONE: none */
	struct scope_set delegates_to; /* ids of clients that may act through its tokens */
	enum client_status status;
	int64_t not_before; /* tokens issued then or before are dead */
	int64_t created_at;
	int64_t disabled_at;
	/*
	 * public keys by value (crypto/jwk_set.h), STR_NONE: none; or where they are published, and
	 * then jwks is what was last read there, where somebody looked it up (authority/key_sets.h)
	 */
	struct str jwks;
	struct str jwks_uri;
	struct str auth_alg;	 /* the only algorithm it signs assertions with; STR_NONE: any */
	int64_t dpop_bound_at;	 /* since when it gets no token without DPoP; 0: it may */
	int64_t dpop_set_at;	 /* since when the operator says which; 0: it says so itself */
	int64_t par_required_at; /* since when it must push its requests (RFC 9126 6); 0: it may */
	int64_t par_set_at;	 /* as dpop_set_at */
	/*
	 * since when its refresh tokens stay the same where they are bound to its key (RFC 9700
	 * 4.14.2); 0: they rotate
	 */
	int64_t refresh_kept_at;
};

/* As client_check wants it. */
bool client_id_is_valid(struct str id);
bool client_is_public(const struct client *client);
/* One that shows a secret. */
bool client_has_secret(const struct client *client);
/* Somebody answers for it; of any other, all that is known is its own word. */
bool client_is_operators(const struct client *client);
/*
 * The operator's ceiling; empty: none. Agents register what one call needed and come back for more
 * (INTEROP), so of what they wrote themselves nothing is a ceiling.
 */
struct scope_set client_ceiling(const struct client *client);
bool client_allows(const struct client *client, enum grant_type type);
struct str client_auth_name(enum client_auth auth);
MUST_CHECK enum err client_auth_from_name(struct task *task, struct str name,
					  enum client_auth *ret_auth);
/* "authorization_code refresh_token" in task memory. */
struct str grant_types_text(struct arena *arena, unsigned grant_types);
MUST_CHECK enum err grant_types_parse(struct task *task, struct str text, unsigned *ret_types);
/* The registered URI that the asked one matches (redirect_matches), or STR_NONE. */
struct str client_find_redirect(const struct client *client, struct str asked);
/* Whatever is registered leads to this computer. */
bool client_has_only_loopback(const struct client *client);
/*
 * What an operator may register, and what may become of a client by a change: id of unreserved
 * characters (so no URL is one, but of a document) that does not start with "usr_" (RFC 9700 4.15),
 * a name, sound redirect URIs where a redirect grant is allowed, no client_credentials for public
 * clients. ERR_REQUEST with what to change.
 */
MUST_CHECK enum err client_check(struct task *task, const struct client *client,
				 const struct str *schemes, size_t scheme_count);
