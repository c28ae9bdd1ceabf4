/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers are taken out here and handed to OpenSSL one by one: its own way from DER to a key
 * looks through everything that it could decode, which is a twentieth of a start.
 */
#include "crypto/private_key.h"

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#include "base/task.h"
#include "crypto/public_key.h"

#define SCALAR_LEN  32
#define POINT_LEN   65 /* uncompressed, SEC 1 2.3.3 */
#define RSA_NUMBERS 8

/* What of a DER text is not read yet. */
struct der {
	const uint8_t *at;
	size_t len;
};

/* tag: with its class and form, as X.690 8.1.2 has them in the first byte. */
static bool take(struct der *der, unsigned tag, struct der *ret_content)
{
	const uint8_t *at = der->at;
	long len = 0;
	int number = 0, class = 0;
	int form;

	if (der->len == 0 || der->at[0] != tag)
		return false;
	form = ASN1_get_object(&at, &len, &number, &class, (long)der->len);
	/* refused, or of a length that only its end tells, which DER does not have */
	if ((form & 0x81) != 0)
		return false;
	*ret_content = (struct der){ at, (size_t)len };
	der->len -= (size_t)(at - der->at) + (size_t)len;
	der->at = at + len;
	return true;
}

#define TAG_INTEGER    0x02
#define TAG_BIT_STRING 0x03
#define TAG_OCTETS     0x04
#define TAG_SEQUENCE   0x30
#define TAG_CURVE      0xA0 /* [0], ECParameters */
#define TAG_POINT      0xA1 /* [1], the public key */

/* The opening of both kinds. */
static bool enter(struct der *der, int version, struct der *ret_inside)
{
	struct der number = { 0 };

	return take(der, TAG_SEQUENCE, ret_inside) && der->len == 0 &&
	       take(ret_inside, TAG_INTEGER, &number) && number.len == 1 && number.at[0] == version;
}

/* OSSL_PARAM wants the machine's order of bytes; the copy is task memory, wiped with it. */
static OSSL_PARAM number_param(struct task *task, const char *name, struct der number)
{
	uint8_t *native = arena_alloc(&task->arena, number.len);

	for (size_t i = 0; i < number.len; i++)
		native[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? number.len - 1 - i : i] =
			number.at[i];
	return OSSL_PARAM_construct_BN(name, native, number.len);
}

static EVP_PKEY *read_rsa(struct task *task, struct der der)
{
	static const char *const names[RSA_NUMBERS] = {
		OSSL_PKEY_PARAM_RSA_N,	       OSSL_PKEY_PARAM_RSA_E,
		OSSL_PKEY_PARAM_RSA_D,	       OSSL_PKEY_PARAM_RSA_FACTOR1,
		OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
		OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
	};
	OSSL_PARAM params[RSA_NUMBERS + 1];
	struct der inside = { 0 }, number = { 0 };

	if (!enter(&der, 0, &inside))
		return NULL;
	for (size_t i = 0; i < RSA_NUMBERS; i++) {
		if (!take(&inside, TAG_INTEGER, &number) || number.len == 0 || number.at[0] > 0x7F)
			return NULL;
		params[i] = number_param(task, names[i], number);
	}
	params[RSA_NUMBERS] = OSSL_PARAM_construct_end();
	return inside.len == 0 ? pkey_make("RSA", EVP_PKEY_KEYPAIR, params) : NULL;
}

static bool is_p256(struct der curve)
{
	/* 1.2.840.10045.3.1.7 */
	static const struct str name = STR_INIT("\x06\x08\x2A\x86\x48\xCE\x3D\x03\x01\x07");

	return str_equals((struct str){ (const char *)curve.at, curve.len }, name);
}

static EVP_PKEY *read_p256(struct task *task, struct der der)
{
	char group[] = "prime256v1";
	struct der inside = { 0 }, scalar = { 0 }, part = { 0 }, bits = { 0 };
	uint8_t point[POINT_LEN];
	OSSL_PARAM params[4];

	if (!enter(&der, 1, &inside) || !take(&inside, TAG_OCTETS, &scalar) ||
	    scalar.len != SCALAR_LEN || !take(&inside, TAG_CURVE, &part) || !is_p256(part) ||
	    !take(&inside, TAG_POINT, &part) || inside.len != 0 ||
	    !take(&part, TAG_BIT_STRING, &bits) || part.len != 0 || bits.len != 1 + POINT_LEN ||
	    bits.at[0] != 0)
		return NULL;
	memcpy(point, bits.at + 1, POINT_LEN);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, POINT_LEN);
	params[2] = number_param(task, OSSL_PKEY_PARAM_PRIV_KEY, scalar);
	params[3] = OSSL_PARAM_construct_end();
	return pkey_make("EC", EVP_PKEY_KEYPAIR, params);
}

enum err private_key_read(struct task *task, enum alg alg, const struct secret *der,
			  EVP_PKEY **ret_pkey)
{
	struct der all = { der->at, der->len };
	EVP_PKEY *pkey = alg == ALG_ES256 ? read_p256(task, all) : read_rsa(task, all);

	ERR_clear_error();
	if (pkey == NULL)
		return fail(task, ERR_CRYPTO, "a signing key cannot be read");
	*ret_pkey = pkey;
	return OK;
}
