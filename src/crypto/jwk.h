/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys as JWK (RFC 7517, 7518): P-256 and RSA 2048..4096 and Ed25519; thumbprints (RFC
 * 7638).
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

struct task;
struct public_key;

enum alg { ALG_ES256, ALG_RS256, ALG_PS256, ALG_EDDSA, ALG_COUNT };

struct str alg_name(enum alg alg);
/* ERR_SYNTAX for a name that we do not verify (none, HS256, …). */
MUST_CHECK enum err alg_from_name(struct task *task, struct str name, enum alg *ret_alg);

/*
 * A key from outside. ERR_SYNTAX for private or symmetric members, a wrong kty or crv, a point off
 * the curve, RSA outside 2048..4096 bits or with an exponent other than 65537, and a use, key_ops
 * or alg that is not for verifying with this key. The caller owns *ret_key, which any number of
 * threads may use.
 */
MUST_CHECK enum err jwk_parse(struct task *task, const json_t *jwk, struct public_key **ret_key);
void public_key_free(struct public_key **key);
/* base64url of the RFC 7638 SHA-256 thumbprint, 43 characters. */
struct str public_key_thumbprint(struct arena *arena, const struct public_key *key);
/*
 * The algorithms this key may verify are fixed by the key: EC -> ES256, Ed25519 -> EdDSA, RSA ->
 * RS256 and PS256, or only the one of them that its alg member names.
 */
bool public_key_allows(const struct public_key *key, enum alg alg);
