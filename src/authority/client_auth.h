/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client authentication (OAuth 2.1 2.4, 3.2.2): none, client_secret_basic, client_secret_post,
 * private_key_jwt (RFC 7523, draft-ietf-oauth-rfc7523bis).
 */
#pragma once

#include "authority/authority.h"
#include "authority/single_use.h"
#include "model/client.h"

enum credential_method {
	CREDENTIAL_NONE,
	CREDENTIAL_BASIC,
	CREDENTIAL_POST,
	CREDENTIAL_ASSERTION,
};

/* What the door found; it refuses two methods at once and contradictions itself (ERR_REQUEST). */
struct client_credentials {
	enum credential_method method;
	struct str client_id;  /* STR_NONE: not sent; with an assertion, out: who it is of */
	struct str secret;     /* or the assertion */
	struct str raw_secret; /* of Basic: as it came, not form-decoded; STR_NONE otherwise */
	struct str source;     /* the peer's address, for the throttle */
	int64_t retry_after;   /* out, with ERR_THROTTLED: seconds */
	/* out, on OK: what the assertion leaves to be spent; empty for the other methods */
	struct single_use single_use;
};

/*
 * The active client these credentials are of. ERR_REQUEST without a client_id; ERR_CLIENT for an
 * unknown or disabled client, a wrong or expired secret, a secret from a public client, none from a
 * confidential one, an assertion that does not stand. A client registered for post may use basic.
 * ERR_THROTTLED after 20 wrong secrets a minute per client and source. Reads the store.
 */
MUST_CHECK enum err client_authenticate(struct task *task, const struct authority *authority,
					struct client_credentials *credentials,
					struct client *ret_client);
/*
 * A resource server at /introspect: the caller of that id among the resources' callers, or a
 * confidential client. *ret_resource is NULL for a client (it may ask about its own tokens).
 */
MUST_CHECK enum err caller_authenticate(struct task *task, const struct authority *authority,
					struct client_credentials *credentials,
					const struct resource **ret_resource,
					struct client *ret_client);
