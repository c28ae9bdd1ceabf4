/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorization server's description of itself (RFC 8414), as far as a public client with
 * PKCE needs it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct task;

struct issuer {
	struct str name; /* byte-identical to what the user wrote */
	struct str authorization_endpoint;
	struct str token_endpoint;
	struct str revocation_endpoint; /* STR_NONE: none */
	struct str device_endpoint;	/* RFC 8628; STR_NONE: none */
	bool sends_iss;			/* RFC 9207: an answer without `iss` is not its answer */
};

/*
 * Asks name/.well-known/oauth-authorization-server. ERR_REQUEST if name is no https URL; ERR_IO,
 * ERR_TIMEOUT; ERR_FORBIDDEN if what answers is another issuer, or cannot do what we need.
 */
MUST_CHECK enum err issuer_discover(struct task *task, struct str name, struct str ca_file,
				    struct issuer *ret_issuer);
