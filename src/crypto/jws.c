/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"

#define ES256_LEN   64
#define ED25519_LEN 64

void jws_free(struct jws *jws)
{
	json_unref(&jws->header);
	*jws = (struct jws){ 0 };
}

/* Extensions that change what is signed or how, and keys or places of keys chosen by the sender. */
static enum err refuse_members(struct task *task, const json_t *header, bool allow_jwk)
{
	static const char *const names[] = { "crit", "b64", "zip", "enc", "jku", "x5u", "x5c" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (json_object_get(header, names[i]) != NULL)
			return failf(task, ERR_TOKEN, "the header member %s is not accepted",
				     names[i]);
	if (!allow_jwk && json_object_get(header, "jwk") != NULL)
		return fail(task, ERR_TOKEN, "a key in the header is not accepted");
	return OK;
}

/* Absent is STR_NONE; present must be a string. */
static enum err get_optional(struct task *task, const json_t *header, const char *name,
			     struct str *ret_value)
{
	const json_t *member = json_object_get(header, name);

	if (member != NULL && !json_is_string(member))
		return failf(task, ERR_TOKEN, "the header member %s is not a string", name);
	*ret_value = json_get_str(header, name);
	return OK;
}

static enum err parse_header(struct task *task, struct str text, bool allow_jwk, struct jws *jws)
{
	struct str bytes;

	if (base64url_decode(task, text, &bytes) != OK ||
	    json_parse(task, bytes, JWS_MAX, &jws->header) != OK || !json_is_object(jws->header))
		return fail(task, ERR_TOKEN, "the header is not a JSON object in base64url");
	TRY(refuse_members(task, jws->header, allow_jwk));
	if (alg_from_name(task, json_get_str(jws->header, "alg"), &jws->alg) != OK)
		return fail(task, ERR_TOKEN, "the header's alg is not accepted");
	TRY(get_optional(task, jws->header, "typ", &jws->typ));
	return get_optional(task, jws->header, "kid", &jws->kid);
}

static enum err split(struct task *task, struct str text, struct str ret_parts[3])
{
	struct str rest = text;

	if (text.len > JWS_MAX)
		return fail(task, ERR_TOKEN, "the token is too long");
	for (size_t i = 0; i < 3; i++)
		if (!str_next(&rest, '.', &ret_parts[i]) || ret_parts[i].len == 0)
			return fail(task, ERR_TOKEN, "the token does not have three parts");
	if (rest.at != NULL)
		return fail(task, ERR_TOKEN, "the token has more than three parts");
	return OK;
}

enum err jws_parse(struct task *task, struct str text, bool allow_jwk, struct jws *ret_jws)
{
	CLEANUP(jws_free) struct jws jws = { 0 };
	struct str parts[3] = { 0 };

	TRY(split(task, text, parts));
	jws.signed_part = str_sub(text, 0, parts[0].len + 1 + parts[1].len);
	if (base64url_decode(task, parts[1], &jws.payload) != OK ||
	    base64url_decode(task, parts[2], &jws.signature) != OK)
		return fail(task, ERR_TOKEN, "a part of the token is not base64url");
	TRY(parse_header(task, parts[0], allow_jwk, &jws));
	*ret_jws = jws;
	jws.header = NULL;
	return OK;
}

static void free_ecdsa(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

static void free_hash(EVP_MD_CTX **hash)
{
	EVP_MD_CTX_free(*hash);
}

static void free_der(uint8_t **der)
{
	OPENSSL_free(*der);
}

/* Each check: OK, ERR_TOKEN for a wrong signature, ERR_CRYPTO when nobody could tell. */
static enum err check_digest(const struct public_key *key, const struct jws *jws,
			     const uint8_t *signature, size_t len)
{
	CLEANUP(pkey_context_free)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_dup(key->verify[jws->alg]);
	uint8_t digest[SHA256_LEN];

	if (context == NULL)
		return ERR_CRYPTO;
	sha256(jws->signed_part, digest);
	return EVP_PKEY_verify(context, signature, len, digest, sizeof(digest)) == 1 ? OK
										     : ERR_TOKEN;
}

/*
 * RFC 7518 3.4: r ‖ s, 32 bytes each; zero is never a signature (CVE-2022-21449). OpenSSL wants
 * DER.
 */
static enum err check_es256(const struct public_key *key, const struct jws *jws)
{
	CLEANUP(free_ecdsa) ECDSA_SIG *signature = ECDSA_SIG_new();
	CLEANUP(free_der) uint8_t *der = NULL;
	const uint8_t *bytes = (const uint8_t *)jws->signature.at;
	BIGNUM *r, *s;
	int len;

	if (signature == NULL)
		return ERR_CRYPTO;
	if (jws->signature.len != ES256_LEN)
		return ERR_TOKEN;
	r = BN_bin2bn(bytes, ES256_LEN / 2, NULL);
	s = BN_bin2bn(bytes + ES256_LEN / 2, ES256_LEN / 2, NULL);
	if (r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return ERR_CRYPTO;
	}
	if (BN_is_zero(r) || BN_is_zero(s))
		return ERR_TOKEN;
	len = i2d_ECDSA_SIG(signature, &der);
	return len > 0 ? check_digest(key, jws, der, (size_t)len) : ERR_CRYPTO;
}

static enum err check_rsa(const struct public_key *key, const struct jws *jws)
{
	if (jws->signature.len != (size_t)EVP_PKEY_get_size(key->pkey))
		return ERR_TOKEN;
	return check_digest(key, jws, (const uint8_t *)jws->signature.at, jws->signature.len);
}

static enum err check_eddsa(const struct public_key *key, const struct jws *jws)
{
	CLEANUP(free_hash) EVP_MD_CTX *hash = EVP_MD_CTX_new();

	if (jws->signature.len != ED25519_LEN)
		return ERR_TOKEN;
	if (hash == NULL || EVP_DigestVerifyInit(hash, NULL, NULL, NULL, key->pkey) != 1)
		return ERR_CRYPTO;
	return EVP_DigestVerify(hash, (const uint8_t *)jws->signature.at, jws->signature.len,
				(const uint8_t *)jws->signed_part.at, jws->signed_part.len) == 1
		       ? OK
		       : ERR_TOKEN;
}

static enum err (*const checks[ALG_COUNT])(const struct public_key *key, const struct jws *jws) = {
	[ALG_ES256] = check_es256,
	[ALG_RS256] = check_rsa,
	[ALG_PS256] = check_rsa,
	[ALG_EDDSA] = check_eddsa,
};

enum err jws_check(struct task *task, const struct jws *jws, const struct public_key *key)
{
	enum err err;

	if (!public_key_allows(key, jws->alg))
		return fail(task, ERR_TOKEN, "the header's alg is not one of the key");
	err = checks[jws->alg](key, jws);
	if (err == OK)
		return OK;
	/* A stale OpenSSL error would be read as a broken TLS connection later. */
	ERR_clear_error();
	if (err == ERR_CRYPTO)
		return fail(task, ERR_CRYPTO, "the signature could not be checked");
	return fail(task, ERR_TOKEN, "the signature is wrong");
}
