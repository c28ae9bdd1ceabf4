/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signing key as it lies in the database, once it is unsealed: RSAPrivateKey (RFC 8017 A.1.2) or
 * ECPrivateKey (RFC 5915 3), as OpenSSL's i2d_PrivateKey writes them. Private to crypto.
 */
#pragma once

#include <openssl/evp.h>

#include "base/secret.h"
#include "crypto/jwk.h"

/* alg: ALG_ES256 or ALG_RS256. ERR_CRYPTO for bytes that are none of its keys. */
MUST_CHECK enum err private_key_read(struct task *task, enum alg alg, const struct secret *der,
				     EVP_PKEY **ret_pkey);
