/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compact JWS (RFC 7515): taking one apart strictly and checking a signature with a key that the
 * caller chose. The header never chooses the algorithm: it must name one the key allows. crit, b64,
 * jku, x5u, jwk (unless the caller allows it: DPoP) are refused. Not here: claims (jwt.h), signing
 * (keys.h).
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "crypto/jwk.h"

struct task;

#define JWS_MAX (16 * 1024)

struct jws {
	json_t *header; /* owned; jws_free */
	enum alg alg;
	struct str typ; /* as written; STR_NONE when absent */
	struct str kid;
	struct str payload;   /* decoded bytes, task memory */
	struct str signature; /* decoded bytes */
	struct str signed_part;
};

/*
 * ERR_TOKEN for anything but three canonical base64url parts with a sound header. Free with
 * jws_free.
 */
MUST_CHECK enum err jws_parse(struct task *task, struct str text, bool allow_jwk,
			      struct jws *ret_jws);
void jws_free(struct jws *jws);
/* ERR_TOKEN unless the signature is right for that key and an algorithm that the key allows. */
MUST_CHECK enum err jws_check(struct task *task, const struct jws *jws,
			      const struct public_key *key);
