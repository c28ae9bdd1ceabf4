/* SPDX-License-Identifier: Apache-2.0 */
/* What a public key is made of. Private to crypto: jwk.c makes them, jws.c verifies with them. */
#pragma once

#include <openssl/evp.h>
#include <stdatomic.h>

#include "crypto/jwk.h"

#define THUMBPRINT_LEN 43

struct public_key {
	atomic_uint holders;
	EVP_PKEY *pkey;
	unsigned algs; /* a bit per enum alg */
	/*
	 * Prepared and never used themselves: each check copies one, for checks run on many
	 * threads.
	 */
	EVP_PKEY_CTX *verify[ALG_COUNT];
	char thumbprint[THUMBPRINT_LEN];
};

/* Takes *pkey over. */
struct public_key *public_key_new(EVP_PKEY **pkey, unsigned algs);
/* One more owner; answers the key. The last public_key_free frees it. */
struct public_key *public_key_hold(struct public_key *key);

/*
 * A key of the type ("EC", "RSA") from its numbers; selection: EVP_PKEY_PUBLIC_KEY or
 * EVP_PKEY_KEYPAIR. NULL when they make none.
 */
EVP_PKEY *pkey_make(const char *type, int selection, OSSL_PARAM *params);
/*
 * A context for signing (or verifying) a SHA-256 digest with alg. ERR_CRYPTO. Not for EdDSA, which
 * signs the message itself.
 */
MUST_CHECK enum err pkey_prepare(struct task *task, EVP_PKEY *pkey, enum alg alg, bool to_sign,
				 EVP_PKEY_CTX **ret_context);
void pkey_free(EVP_PKEY **pkey);
void pkey_context_free(EVP_PKEY_CTX **context);
