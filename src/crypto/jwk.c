/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwk.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"

#define COORDINATE_LEN 32
#define RSA_BYTES_MIN  256
#define RSA_BYTES_MAX  512
#define BASE64_LEN(n)  (((n)*4 + 2) / 3)

static const struct str alg_names[ALG_COUNT] = {
	[ALG_ES256] = STR_INIT("ES256"),
	[ALG_RS256] = STR_INIT("RS256"),
	[ALG_PS256] = STR_INIT("PS256"),
	[ALG_EDDSA] = STR_INIT("EdDSA"),
};

struct str alg_name(enum alg alg)
{
	return alg_names[alg];
}

enum err alg_from_name(struct task *task, struct str name, enum alg *ret_alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++) {
		if (str_equals(name, alg_names[i])) {
			*ret_alg = (enum alg)i;
			return OK;
		}
	}
	if (str_equals(name, STR("Ed25519"))) { /* RFC 9864: the same, said in full */
		*ret_alg = ALG_EDDSA;
		return OK;
	}
	return fail(task, ERR_SYNTAX, "an algorithm that is not accepted");
}

/* A member of 1..max bytes. */
static enum err get_bytes(struct task *task, const json_t *jwk, const char *name, size_t max,
			  struct str *ret_bytes)
{
	struct str text = json_get_str(jwk, name);

	if (text.len == 0 || text.len > BASE64_LEN(max))
		return failf(task, ERR_SYNTAX, "JWK member %s is missing or of a wrong length",
			     name);
	return base64url_decode(task, text, ret_bytes);
}

static enum err get_coordinate(struct task *task, const json_t *jwk, const char *name,
			       struct str *ret_bytes)
{
	struct str bytes;

	TRY(get_bytes(task, jwk, name, COORDINATE_LEN, &bytes));
	if (bytes.len != COORDINATE_LEN)
		return failf(task, ERR_SYNTAX, "JWK member %s is not 32 bytes long", name);
	*ret_bytes = bytes;
	return OK;
}

static enum err make_public(struct task *task, const char *type, OSSL_PARAM *params,
			    EVP_PKEY **ret_pkey)
{
	EVP_PKEY *pkey = pkey_make(type, EVP_PKEY_PUBLIC_KEY, params);

	if (pkey == NULL)
		return fail(task, ERR_SYNTAX,
			    "the JWK is not a key, such as a point off the curve");
	*ret_pkey = pkey;
	return OK;
}

/*
 * OpenSSL refuses coordinates beyond the field and points off the curve; the cofactor of P-256 is
 * 1.
 */
static enum err read_p256(struct task *task, const json_t *jwk, EVP_PKEY **ret_pkey)
{
	struct str x, y;
	uint8_t point[1 + 2 * COORDINATE_LEN] = { 4 };
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};

	TRY(get_coordinate(task, jwk, "x", &x));
	TRY(get_coordinate(task, jwk, "y", &y));
	memcpy(point + 1, x.at, COORDINATE_LEN);
	memcpy(point + 1 + COORDINATE_LEN, y.at, COORDINATE_LEN);
	return make_public(task, "EC", params, ret_pkey);
}

static enum err read_ed25519(struct task *task, const json_t *jwk, EVP_PKEY **ret_pkey)
{
	struct str x;
	EVP_PKEY *pkey;

	TRY(get_coordinate(task, jwk, "x", &x));
	/* A point of small order accepts signatures that nobody made. */
	if (crypto_core_ed25519_is_valid_point((const uint8_t *)x.at) != 1)
		return fail(task, ERR_SYNTAX, "the JWK's x is not a point to verify with");
	pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const uint8_t *)x.at, x.len);
	if (pkey == NULL) {
		ERR_clear_error();
		return fail(task, ERR_SYNTAX, "the JWK is not an Ed25519 key");
	}
	*ret_pkey = pkey;
	return OK;
}

static void number_free(BIGNUM **number)
{
	BN_free(*number);
}

/*
 * All bounds are checked before any arithmetic: a large modulus or exponent costs the verifier, not
 * the sender.
 */
static enum err read_rsa(struct task *task, const json_t *jwk, EVP_PKEY **ret_pkey)
{
	struct str n;
	CLEANUP(number_free) BIGNUM *number = NULL;
	uint8_t native[RSA_BYTES_MAX]; /* OSSL_PARAM wants the machine's order of bytes */
	unsigned e = 65537;
	OSSL_PARAM params[3] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(),
				 OSSL_PARAM_construct_end() };

	if (!str_equals(json_get_str(jwk, "e"), STR("AQAB")))
		return fail(task, ERR_SYNTAX, "the exponent of an RSA key must be 65537");
	TRY(get_bytes(task, jwk, "n", RSA_BYTES_MAX, &n));
	if (n.len < RSA_BYTES_MIN || n.at[0] == 0 ||
	    (n.len == RSA_BYTES_MIN && ((uint8_t)n.at[0] & 0x80) == 0))
		return fail(task, ERR_SYNTAX, "an RSA key must have 2048 to 4096 bits");
	if ((n.at[n.len - 1] & 1) == 0)
		return fail(task, ERR_SYNTAX, "the modulus of an RSA key cannot be even");
	number = BN_bin2bn((const uint8_t *)n.at, (int)n.len, NULL);
	if (number == NULL || BN_bn2nativepad(number, native, (int)n.len) < 0)
		return fail(task, ERR_CRYPTO, "an RSA modulus cannot be read");
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native, n.len);
	params[1] = OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &e);
	return make_public(task, "RSA", params, ret_pkey);
}

static const struct kind {
	struct str kty;
	struct str crv; /* STR_NONE: the kind has none */
	unsigned algs;
	enum err (*read)(struct task *task, const json_t *jwk, EVP_PKEY **ret_pkey);
	const char *members[4]; /* those of the thumbprint, in order (RFC 7638 3.2, RFC 8037 2) */
} kinds[] = {
	{ STR_INIT("EC"),
	  STR_INIT("P-256"),
	  1U << ALG_ES256,
	  read_p256,
	  { "crv", "kty", "x", "y" } },
	{ STR_INIT("OKP"),
	  STR_INIT("Ed25519"),
	  1U << ALG_EDDSA,
	  read_ed25519,
	  { "crv", "kty", "x" } },
	{ STR_INIT("RSA"),
	  { NULL, 0 },
	  1U << ALG_RS256 | 1U << ALG_PS256,
	  read_rsa,
	  { "e", "kty", "n" } },
};

static enum err find_kind(struct task *task, const json_t *jwk, const struct kind **ret_kind)
{
	struct str kty = json_get_str(jwk, "kty"), crv = json_get_str(jwk, "crv");

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!str_equals(kty, kinds[i].kty))
			continue;
		if (kinds[i].crv.at != NULL && !str_equals(crv, kinds[i].crv))
			return fail(task, ERR_SYNTAX, "the JWK's curve is not accepted");
		*ret_kind = &kinds[i];
		return OK;
	}
	return fail(task, ERR_SYNTAX, "the JWK's key type is not accepted");
}

static enum err refuse_private(struct task *task, const json_t *jwk)
{
	static const char *const names[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (json_object_get(jwk, names[i]) != NULL)
			return fail(task, ERR_SYNTAX, "the JWK holds a private or symmetric key");
	return OK;
}

/* RFC 7517 4.2, 4.3: where the key says what it is for, it must be for verifying signatures. */
static enum err check_purpose(struct task *task, const json_t *jwk)
{
	const json_t *use = json_object_get(jwk, "use"), *ops = json_object_get(jwk, "key_ops");
	size_t found = 0;

	if (use != NULL && !str_equals(json_get_str(jwk, "use"), STR("sig")))
		return fail(task, ERR_SYNTAX, "the JWK is not for signatures");
	if (ops == NULL)
		return OK;
	for (size_t i = 0; i < json_array_size(ops); i++) {
		const char *op = json_string_value(json_array_get(ops, i));

		found += str_equals(str_from_c(op), STR("verify"));
	}
	return found == 1 ? OK : fail(task, ERR_SYNTAX, "the JWK is not for verifying");
}

static enum err find_algs(struct task *task, const json_t *jwk, const struct kind *kind,
			  unsigned *ret_algs)
{
	enum alg alg;

	if (json_object_get(jwk, "alg") == NULL) {
		*ret_algs = kind->algs;
		return OK;
	}
	TRY(alg_from_name(task, json_get_str(jwk, "alg"), &alg));
	if ((kind->algs & 1U << alg) == 0)
		return fail(task, ERR_SYNTAX, "the JWK's alg does not fit its key type");
	*ret_algs = 1U << alg;
	return OK;
}

/*
 * RFC 7638 3: the required members as JSON without spaces. All of them were found to be plain text.
 */
static void set_thumbprint(struct task *task, const json_t *jwk, const struct kind *kind,
			   struct public_key *key)
{
	struct buf buf = buf_in(&task->arena, 2048);
	struct json_writer json = json_write_to(&buf);
	struct str text = STR_NONE, spelled;
	enum err err;

	json_open_object(&json);
	for (size_t i = 0; i < COUNT_OF(kind->members) && kind->members[i] != NULL; i++)
		json_member_str(&json, kind->members[i], json_get_str(jwk, kind->members[i]));
	json_close(&json);
	err = buf_finish(&buf, &text);
	if (err != OK)
		abort();
	spelled = base64url_encode(&task->arena, sha256_str(&task->arena, text));
	memcpy(key->thumbprint, spelled.at, sizeof(key->thumbprint));
}

static enum err prepare(struct task *task, struct public_key *key)
{
	for (size_t alg = 0; alg < ALG_COUNT; alg++)
		if (alg != ALG_EDDSA && public_key_allows(key, (enum alg)alg))
			TRY(pkey_prepare(task, key->pkey, (enum alg)alg, false, &key->verify[alg]));
	return OK;
}

enum err jwk_parse(struct task *task, const json_t *jwk, struct public_key **ret_key)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;
	CLEANUP(public_key_free) struct public_key *key = NULL;
	const struct kind *kind = NULL;
	unsigned algs = 0;

	if (!json_is_object(jwk))
		return fail(task, ERR_SYNTAX, "a JWK must be a JSON object");
	TRY(refuse_private(task, jwk));
	TRY(find_kind(task, jwk, &kind));
	TRY(check_purpose(task, jwk));
	TRY(find_algs(task, jwk, kind, &algs));
	TRY(kind->read(task, jwk, &pkey));
	key = public_key_new(&pkey, algs);
	set_thumbprint(task, jwk, kind, key);
	TRY(prepare(task, key));
	*ret_key = key;
	key = NULL;
	return OK;
}
