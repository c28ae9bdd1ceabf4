/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proof of possession (RFC 9449): is this proof for this request, of now, and by which key? That it
 * was not used before is found out when it is spent (single_use.h), in the transaction of what it
 * is for. Nonces are a time and a MAC: nothing is kept of those that were given out.
 */
#pragma once

#include "authority/authority.h"
#include "store/spent.h"

#define DPOP_ALGORITHMS "ES256 RS256 PS256 EdDSA Ed25519"

/* What the door found. */
struct dpop_asked {
	struct str proof;	 /* the DPoP header; STR_NONE: none was sent */
	struct str method;	 /* of the request */
	struct str path;	 /* of the endpoint, behind the issuer */
	struct str access_token; /* that it goes with (ath); STR_NONE at the token endpoint */
};

struct dpop {
	struct str jkt; /* the key's thumbprint; STR_NONE: no proof was sent */
	struct spent spent;
	bool nonce_is_old; /* a newer one should go with the answer */
};

/*
 * Without a proof all of *ret_dpop is empty. ERR_DPOP with the reason; ERR_DPOP_NONCE: one is
 * required, was another's or is over, or the client's clock is wrong by more than a proof without a
 * nonce may be.
 */
MUST_CHECK enum err dpop_check(struct task *task, const struct authority *authority,
			       const struct dpop_asked *asked, struct dpop *ret_dpop);
/* The nonce of now, in task memory. */
struct str dpop_nonce(struct task *task, const struct authority *authority);
/* True for what a thumbprint looks like (RFC 7638 with SHA-256 in base64url). */
bool dpop_jkt_is_valid(struct str jkt);
/* The ath of an access token (RFC 9449 4.2), in arena memory. */
struct str dpop_token_hash(struct arena *arena, struct str access_token);
