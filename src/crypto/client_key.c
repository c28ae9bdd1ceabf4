/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/client_key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "crypto/random.h"

#define COORDINATE_LEN 32
#define SIGNATURE_MAX  128
#define JWK_MAX	       256
#define HEADER_MAX     512
#define CLAIMS_MAX     4096
#define JWS_MAX	       (8 * 1024)
#define JTI_LEN	       16

struct client_key {
	EVP_PKEY *pkey;
	size_t jwk_len;
	char jwk[JWK_MAX];
};

static void number_free(BIGNUM **number)
{
	BN_free(*number);
}

static void bio_free(BIO **bio)
{
	BIO_free(*bio);
}

static void free_ecdsa(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

static enum err spell_coordinate(struct task *task, const EVP_PKEY *pkey, const char *param,
				 struct str *ret_text)
{
	CLEANUP(number_free) BIGNUM *number = NULL;
	uint8_t bytes[COORDINATE_LEN];

	if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1 ||
	    BN_bn2binpad(number, bytes, sizeof(bytes)) != COORDINATE_LEN)
		return fail(task, ERR_CRYPTO, "the key is not of P-256");
	*ret_text = base64url_encode(&task->arena,
				     (struct str){ (const char *)bytes, sizeof(bytes) });
	return OK;
}

/* RFC 7638 3: the required members in order, without white space. */
static enum err spell_jwk(struct task *task, struct client_key *key)
{
	struct buf buf = buf_in(&task->arena, JWK_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str x, y, text;

	TRY(spell_coordinate(task, key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x));
	TRY(spell_coordinate(task, key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y));
	json_open_object(&json);
	json_member_str(&json, "crv", STR("P-256"));
	json_member_str(&json, "kty", STR("EC"));
	json_member_str(&json, "x", x);
	json_member_str(&json, "y", y);
	json_close(&json);
	TRY(buf_finish(&buf, &text));
	memcpy(key->jwk, text.at, text.len);
	key->jwk_len = text.len;
	return OK;
}

static bool is_p256(const EVP_PKEY *pkey)
{
	char group[32] = "";

	return EVP_PKEY_is_a(pkey, "EC") == 1 &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

/* Takes *pkey over. */
static struct client_key *key_new(EVP_PKEY **pkey)
{
	struct client_key *key = calloc(1, sizeof(*key));

	if (key == NULL)
		abort();
	key->pkey = *pkey;
	*pkey = NULL;
	return key;
}

static enum err wrap(struct task *task, EVP_PKEY **pkey, struct client_key **ret_key)
{
	CLEANUP(client_key_free) struct client_key *key = key_new(pkey);

	TRY(spell_jwk(task, key));
	*ret_key = key;
	key = NULL;
	return OK;
}

enum err client_key_new(struct task *task, struct client_key **ret_key)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = EVP_EC_gen("P-256");

	if (pkey == NULL) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "a key cannot be made");
	}
	return wrap(task, &pkey, ret_key);
}

void client_key_free(struct client_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

enum err client_key_save(struct task *task, const struct client_key *key, struct secret *ret_pem)
{
	CLEANUP(bio_free) BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long len;

	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "the key cannot be written");
	}
	len = BIO_get_mem_data(bio, &text);
	secret_set(ret_pem, text, len > 0 ? (size_t)len : 0);
	return OK;
}

enum err client_key_load(struct task *task, struct str pem, struct client_key **ret_key)
{
	CLEANUP(bio_free) BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;

	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (pkey == NULL || !is_p256(pkey)) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "it is not a P-256 key in PEM");
	}
	return wrap(task, &pkey, ret_key);
}

struct str client_key_jwk(const struct client_key *key)
{
	return (struct str){ key->jwk, key->jwk_len };
}

struct str client_key_thumbprint(struct arena *arena, const struct client_key *key)
{
	return base64url_encode(arena, sha256_str(arena, client_key_jwk(key)));
}

/* RFC 7518 3.4: r and s, each as long as the field, instead of OpenSSL's DER. */
static bool from_der(const uint8_t *der, size_t len, uint8_t raw[2 * COORDINATE_LEN])
{
	CLEANUP(free_ecdsa) ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);

	return signature != NULL &&
	       BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, COORDINATE_LEN) == COORDINATE_LEN &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + COORDINATE_LEN, COORDINATE_LEN) ==
		       COORDINATE_LEN;
}

static enum err sign(struct task *task, const struct client_key *key, struct str text,
		     uint8_t raw[2 * COORDINATE_LEN])
{
	CLEANUP(pkey_context_free) EVP_PKEY_CTX *context = NULL;
	uint8_t digest[SHA256_LEN], der[SIGNATURE_MAX];
	size_t len = sizeof(der);

	TRY(pkey_prepare(task, key->pkey, ALG_ES256, true, &context));
	sha256(text, digest);
	if (EVP_PKEY_sign(context, der, &len, digest, sizeof(digest)) != 1 ||
	    !from_der(der, len, raw)) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "signing failed");
	}
	return OK;
}

enum err client_key_sign(struct task *task, const struct client_key *key, struct str header,
			 struct str claims, struct str *ret_jws)
{
	struct buf buf = buf_in(&task->arena, JWS_MAX);
	uint8_t raw[2 * COORDINATE_LEN];
	struct str text;

	base64url_add(&buf, header);
	buf_add_char(&buf, '.');
	base64url_add(&buf, claims);
	TRY(buf_finish(&buf, &text));
	TRY(sign(task, key, text, raw));
	buf_add_char(&buf, '.');
	base64url_add(&buf, (struct str){ (const char *)raw, sizeof(raw) });
	return buf_finish(&buf, ret_jws);
}

static enum err spell_header(struct task *task, const struct client_key *key,
			     struct str *ret_header)
{
	struct buf buf = buf_in(&task->arena, HEADER_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "typ", STR("dpop+jwt"));
	json_member_str(&json, "alg", STR("ES256"));
	json_key(&json, "jwk");
	json_add_raw(&json, client_key_jwk(key));
	json_close(&json);
	return buf_finish(&buf, ret_header);
}

static enum err spell_claims(struct task *task, const struct proof_wish *wish,
			     struct str *ret_claims)
{
	struct buf buf = buf_in(&task->arena, CLAIMS_MAX);
	struct json_writer json = json_write_to(&buf);
	char jti[JTI_LEN];

	random_bytes(jti, sizeof(jti));
	json_open_object(&json);
	json_member_str(&json, "jti",
			base64url_encode(&task->arena, (struct str){ jti, sizeof(jti) }));
	json_member_str(&json, "htm", wish->method);
	json_member_str(&json, "htu", wish->url);
	json_member_int(&json, "iat", task->now / SECOND_MS);
	if (wish->access_token.at != NULL)
		json_member_str(&json, "ath",
				base64url_encode(&task->arena,
						 sha256_str(&task->arena, wish->access_token)));
	if (wish->nonce.at != NULL)
		json_member_str(&json, "nonce", wish->nonce);
	json_close(&json);
	return buf_finish(&buf, ret_claims);
}

enum err client_key_prove(struct task *task, const struct client_key *key,
			  const struct proof_wish *wish, struct str *ret_proof)
{
	struct str header, claims;

	TRY(spell_header(task, key, &header));
	TRY(spell_claims(task, wish, &claims));
	return client_key_sign(task, key, header, claims, ret_proof);
}
