/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DPoP proof (RFC 9449 4.2) as it comes: its form, the public key in its header, its signature by
 * that key. Whether it is for this request, new, and by the right key is authority's affair
 * (authority/dpop.h).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct key_cache;
struct task;

#define DPOP_PROOF_MAX (8 * 1024)
#define DPOP_JTI_MAX   128
#define DPOP_URI_MAX   2048

/* Texts in task memory. */
struct dpop_proof {
	struct str jkt; /* thumbprint of its key (RFC 7638) */
	struct str jti;
	struct str htm;
	struct str htu;
	int64_t issued_at; /* wall ms */
	struct str ath;	   /* STR_NONE: none, as of the next */
	struct str nonce;
};

/*
 * ERR_TOKEN with the reason: malformed, typ not dpop+jwt, an algorithm or key that is not accepted
 * (jwk.h), a wrong signature, a claim missing or of another type. cache may be NULL.
 */
MUST_CHECK enum err dpop_proof_read(struct task *task, struct key_cache *cache, struct str text,
				    struct dpop_proof *ret_proof);
