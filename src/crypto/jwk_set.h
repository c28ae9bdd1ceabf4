/* SPDX-License-Identifier: Apache-2.0 */
/* A client's public keys (RFC 7517 5), as it registers them and as its signatures are checked. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct jws;

#define JWK_SET_MAX  (16 * 1024)
#define JWK_SET_KEYS 8
/* As somebody publishes it, with certificates and keys of other kinds. */
#define JWK_SET_PUBLISHED_MAX  (64 * 1024)
#define JWK_SET_PUBLISHED_KEYS 32

/*
 * *ret_text: the set without white space, in task memory. ERR_SYNTAX with what is wrong: not a set
 * of 1 to JWK_SET_KEYS keys, a private or symmetric key among them, none that we can verify with,
 * two of one kid. Keys of other kinds may stand beside.
 */
MUST_CHECK enum err jwk_set_check(struct task *task, struct str text, struct str *ret_text);
/*
 * Of a set that is published somewhere, what we verify with: a set as above, of its usable keys
 * with the members that count. ERR_SYNTAX as above, and for more than JWK_SET_PUBLISHED_KEYS keys
 * or more than JWK_SET_KEYS usable ones.
 */
MUST_CHECK enum err jwk_set_take(struct task *task, struct str text, struct str *ret_text);
/*
 * OK when one of the keys made the signature: those of the header's kid, or all when it names none.
 * ERR_NOT_FOUND: no key of that kid, which says that the set may have a newer version. ERR_TOKEN.
 */
MUST_CHECK enum err jwk_set_verify(struct task *task, struct str set, const struct jws *jws);
