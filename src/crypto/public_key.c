/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/public_key.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/task.h"
#include "crypto/digest.h"

void pkey_free(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
	*pkey = NULL;
}

void pkey_context_free(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
	*context = NULL;
}

EVP_PKEY *pkey_make(const char *type, int selection, OSSL_PARAM *params)
{
	CLEANUP(pkey_context_free)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
	    EVP_PKEY_fromdata(context, &pkey, selection, params) != 1) {
		ERR_clear_error();
		return NULL;
	}
	return pkey;
}

static bool set_padding(EVP_PKEY_CTX *context, enum alg alg)
{
	if (alg == ALG_ES256)
		return true;
	if (alg == ALG_RS256)
		return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1;
	/* RFC 7518 3.5: MGF1 with the same hash, a salt as long as the hash */
	return alg == ALG_PS256 &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(context, SHA256_LEN) == 1;
}

enum err pkey_prepare(struct task *task, EVP_PKEY *pkey, enum alg alg, bool to_sign,
		      EVP_PKEY_CTX **ret_context)
{
	CLEANUP(pkey_context_free)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (context == NULL)
		return fail(task, ERR_CRYPTO, "a key cannot be prepared");
	if ((to_sign ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) != 1 ||
	    !set_padding(context, alg)) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "a key does not fit its algorithm");
	}
	*ret_context = context;
	context = NULL;
	return OK;
}

struct public_key *public_key_new(EVP_PKEY **pkey, unsigned algs)
{
	struct public_key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		abort();
	atomic_init(&key->holders, 1);
	key->pkey = *pkey;
	key->algs = algs;
	*pkey = NULL;
	return key;
}

struct public_key *public_key_hold(struct public_key *key)
{
	atomic_fetch_add_explicit(&key->holders, 1, memory_order_relaxed);
	return key;
}

void public_key_free(struct public_key **key)
{
	struct public_key *held = *key;

	*key = NULL;
	if (held == NULL || atomic_fetch_sub_explicit(&held->holders, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t alg = 0; alg < ALG_COUNT; alg++)
		EVP_PKEY_CTX_free(held->verify[alg]);
	EVP_PKEY_free(held->pkey);
	free(held);
}

struct str public_key_thumbprint(struct arena *arena, const struct public_key *key)
{
	return str_copy(arena, (struct str){ key->thumbprint, sizeof(key->thumbprint) });
}

bool public_key_allows(const struct public_key *key, enum alg alg)
{
	return (unsigned)alg < ALG_COUNT && (key->algs & 1U << alg) != 0;
}
