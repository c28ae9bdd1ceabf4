/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's signed assertion (RFC 7523, RFC 7521 4.2) as it comes: taken apart before anybody
 * knows whose it is; its signature is checked with that client's keys (jwk_set.h), its rules are
 * authority's (authority/assertion.h).
 */
#pragma once

#include <stdint.h>

#include "crypto/jws.h"

#define ASSERTION_MAX	  (8 * 1024)
#define ASSERTION_JTI_MAX 256
#define ASSERTION_ID_MAX  2048

/* Texts in task memory. Free with assertion_free. */
struct assertion {
	struct jws jws;
	struct str issuer;
	struct str subject;
	struct str audience; /* STR_NONE: absent, or not one string */
	struct str jti;
	int64_t issued_at; /* wall ms; -1: absent, as of the other two */
	int64_t not_before;
	int64_t expires_at;
};

/* ERR_TOKEN unless it is a JWS with those claims, each absent or of its type. */
MUST_CHECK enum err assertion_parse(struct task *task, struct str text,
				    struct assertion *ret_assertion);
void assertion_free(struct assertion *assertion);
