/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/json.h"
#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/holder_private.h"
#include "crypto/private_key.h"
#include "crypto/public_key.h"

#define RSA_BITS 2048
#define JWK_MAX	 2048

/* RFC 7518 6.2.1, 6.3.1: coordinates have the length of the field, RSA numbers no leading zero. */
static const struct jwk_shape {
	const char *kty, *crv;
	struct {
		const char *name, *param;
		int len; /* 0: as long as the number */
	} numbers[2];
} shapes[] = {
	[ALG_ES256] = { "EC",
			"P-256",
			{ { "x", OSSL_PKEY_PARAM_EC_PUB_X, 32 },
			  { "y", OSSL_PKEY_PARAM_EC_PUB_Y, 32 } } },
	[ALG_RS256] = { "RSA",
			NULL,
			{ { "e", OSSL_PKEY_PARAM_RSA_E, 0 }, { "n", OSSL_PKEY_PARAM_RSA_N, 0 } } },
};

static void number_free(BIGNUM **number)
{
	BN_free(*number);
}

static enum err spell_number(struct task *task, EVP_PKEY *pkey, const char *param, int len,
			     struct str *ret_text)
{
	CLEANUP(number_free) BIGNUM *number = NULL;
	uint8_t bytes[512];

	if (EVP_PKEY_get_bn_param(pkey, param, &number) != 1) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "a signing key does not fit its algorithm");
	}
	if (len == 0)
		len = BN_num_bytes(number);
	if (len > (int)sizeof(bytes) || BN_bn2binpad(number, bytes, len) != len)
		return fail(task, ERR_CRYPTO, "a signing key has too large a number");
	*ret_text = base64url_encode(&task->arena,
				     (struct str){ (const char *)bytes, (size_t)len });
	return OK;
}

/*
 * RFC 7638 3: the members that identify the key, in order, as JSON without spaces: crv kty x y, or
 * e kty n. Spelled here and not parsed: no parser has to run where the keys are.
 */
static enum err spell_kid(struct task *task, const struct jwk_shape *shape,
			  const struct str numbers[2], struct str *ret_kid)
{
	struct buf buf = buf_in(&task->arena, JWK_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text = STR_NONE;
	size_t before_kty = shape->crv == NULL ? 1 : 0;

	json_open_object(&json);
	if (shape->crv != NULL)
		json_member_str(&json, "crv", str_from_c(shape->crv));
	for (size_t i = 0; i < before_kty; i++)
		json_member_str(&json, shape->numbers[i].name, numbers[i]);
	json_member_str(&json, "kty", str_from_c(shape->kty));
	for (size_t i = before_kty; i < COUNT_OF(shape->numbers); i++)
		json_member_str(&json, shape->numbers[i].name, numbers[i]);
	json_close(&json);
	TRY(buf_finish(&buf, &text));
	text = base64url_encode(&task->arena, sha256_str(&task->arena, text));
	*ret_kid = str_sub(text, 0, KID_LEN);
	return OK;
}

static enum err spell_jwk(struct task *task, const struct jwk_shape *shape,
			  const struct str numbers[2], struct str kid, enum alg alg,
			  struct str *ret_jwk)
{
	struct buf buf = buf_in(&task->arena, JWK_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "kty", str_from_c(shape->kty));
	if (shape->crv != NULL)
		json_member_str(&json, "crv", str_from_c(shape->crv));
	for (size_t i = 0; i < COUNT_OF(shape->numbers); i++)
		json_member_str(&json, shape->numbers[i].name, numbers[i]);
	json_member_str(&json, "kid", kid);
	json_member_str(&json, "alg", alg_name(alg));
	json_member_str(&json, "use", STR("sig"));
	json_close(&json);
	return buf_finish(&buf, ret_jwk);
}

enum err signing_jwk(struct task *task, EVP_PKEY *pkey, enum alg alg, struct str *ret_kid,
		     struct str *ret_jwk)
{
	const struct jwk_shape *shape = &shapes[alg];
	struct str numbers[2] = { 0 };

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		TRY(spell_number(task, pkey, shape->numbers[i].param, shape->numbers[i].len,
				 &numbers[i]));
	TRY(spell_kid(task, shape, numbers, ret_kid));
	return spell_jwk(task, shape, numbers, *ret_kid, alg, ret_jwk);
}

struct seal_place signing_place(struct task *task, const struct key_record *record)
{
	return (struct seal_place){
		.table = SIGNING_KEYS_TABLE,
		.row = record->id,
		.column = STR_JOIN(&task->arena, STR("sealed "), alg_name(record->alg), STR(" "),
				   record->purpose),
	};
}

static EVP_PKEY *make_pair(enum alg alg)
{
	if (alg == ALG_ES256)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
}

/* OpenSSL writes another form when it fails at the first: what is not read again is not kept. */
static enum err seal_der(struct task *task, struct key_holder *holder, const struct secret *der,
			 const struct key_record *record, struct str *ret_sealed)
{
	const struct seal_place place = signing_place(task, record);
	CLEANUP(pkey_free) EVP_PKEY *again = NULL;

	TRY(private_key_read(task, record->alg, der, &again));
	return root_seal(task, holder, &place, (struct str){ (const char *)der->at, der->len },
			 ret_sealed);
}

static enum err seal_pair(struct task *task, struct key_holder *holder, EVP_PKEY *pkey,
			  const struct key_record *record, struct str *ret_sealed)
{
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(pkey, &der);
	enum err err;

	if (len <= 0) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "a signing key cannot be written");
	}
	err = seal_der(task, holder, &(struct secret){ der, (size_t)len }, record, ret_sealed);
	OPENSSL_clear_free(der, (size_t)len);
	return err;
}

enum err holder_generate(struct task *task, struct key_holder *holder, struct str purpose,
			 enum alg alg, struct key_record *ret_record)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;
	struct key_record record = {
		.purpose = str_copy(&task->arena, purpose),
		.alg = alg,
		.created_at = task->now,
		.not_before = task->now,
	};

	if (alg != ALG_ES256 && alg != ALG_RS256)
		return fail(task, ERR_CONFIG, "tokens are signed with ES256 or RS256");
	pkey = make_pair(alg);
	if (pkey == NULL) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "a signing key cannot be made");
	}
	TRY(signing_jwk(task, pkey, alg, &record.id, &record.public_jwk));
	TRY(seal_pair(task, holder, pkey, &record, &record.sealed));
	*ret_record = record;
	return OK;
}
