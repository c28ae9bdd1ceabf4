/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/private_key.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "check.h"
#include "crypto/public_key.h"

/* Of OpenSSL's own making, in task memory. */
static struct secret write_key(struct task *task, EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int len = i2d_PrivateKey(pkey, &der);
	struct secret text = { 0 };

	CHECK(len > 0);
	text.len = (size_t)len;
	text.at = arena_alloc(&task->arena, text.len);
	memcpy(text.at, der, text.len);
	OPENSSL_free(der);
	return text;
}

static EVP_PKEY *make(const char *type, const char *curve)
{
	EVP_PKEY *pkey = curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type, curve)
			 : strcmp(type, "RSA") == 0
				 ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)2048)
				 : EVP_PKEY_Q_keygen(NULL, NULL, type);

	CHECK(pkey != NULL);
	return pkey;
}

static bool is_read(struct task *task, enum alg alg, const uint8_t *at, size_t len)
{
	CLEANUP(pkey_free) EVP_PKEY *pkey = NULL;
	/* of exactly this length, so that a sanitizer sees what is read behind it */
	CLEANUP(secret_wipe) struct secret der = { 0 };
	enum err err;

	secret_set(&der, at, len);
	err = private_key_read(task, alg, &der, &pkey);
	CHECK((err == OK) == (pkey != NULL));
	if (err != OK)
		CHECK_ERR(err, ERR_CRYPTO);
	task_forgive(task);
	return err == OK;
}

static const struct {
	enum alg alg;
	const char *type, *curve;
} kinds[] = { { ALG_ES256, "EC", "P-256" }, { ALG_RS256, "RSA", NULL } };

/* A signature of what was read, checked by what was made. */
static void a_key_is_read_as_it_was_written(void **state)
{
	struct task *task = *state;
	uint8_t digest[32] = { 1 }, signature[512];

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		CLEANUP(pkey_free) EVP_PKEY *made = make(kinds[i].type, kinds[i].curve);
		CLEANUP(pkey_free) EVP_PKEY *read = NULL;
		CLEANUP(pkey_context_free) EVP_PKEY_CTX *sign = NULL;
		CLEANUP(pkey_context_free) EVP_PKEY_CTX *verify = NULL;
		struct secret der = write_key(task, made);
		size_t len = sizeof(signature);

		CHECK_ERR(private_key_read(task, kinds[i].alg, &der, &read), OK);
		CHECK(EVP_PKEY_eq(made, read) == 1);
		CHECK_ERR(pkey_prepare(task, read, kinds[i].alg, true, &sign), OK);
		CHECK_ERR(pkey_prepare(task, made, kinds[i].alg, false, &verify), OK);
		CHECK(EVP_PKEY_sign(sign, signature, &len, digest, sizeof(digest)) == 1);
		CHECK(EVP_PKEY_verify(verify, signature, len, digest, sizeof(digest)) == 1);
	}
}

static void a_key_cut_short_or_longer_is_none(void **state)
{
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		CLEANUP(pkey_free) EVP_PKEY *made = make(kinds[i].type, kinds[i].curve);
		struct secret der = write_key(task, made);
		uint8_t *longer = arena_alloc(&task->arena, der.len + 1);

		for (size_t len = 0; len < der.len; len++)
			CHECK(!is_read(task, kinds[i].alg, der.at, len));
		memcpy(longer, der.at, der.len);
		longer[der.len] = 0;
		CHECK(is_read(task, kinds[i].alg, longer, der.len));
		CHECK(!is_read(task, kinds[i].alg, longer, der.len + 1));
	}
}

/* Behind version and scalar: [0] and what is in it. */
static bool is_of_curve(enum alg alg, size_t at)
{
	return alg == ALG_ES256 && at >= 39 && at < 51;
}

/* Another number may make another key; what says what follows makes none, nor another curve. */
static void a_byte_that_says_what_follows_is_taken_by_its_word(void **state)
{
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		CLEANUP(pkey_free) EVP_PKEY *made = make(kinds[i].type, kinds[i].curve);
		struct secret der = write_key(task, made);
		/* the tag of all, its length, the tag, length and value of the version */
		size_t head = kinds[i].alg == ALG_ES256 ? 5 : 7;

		for (size_t at = 0; at < der.len; at++) {
			for (int bit = 0; bit < 8; bit++) {
				bool is_key;

				der.at[at] ^= (uint8_t)(1 << bit);
				is_key = is_read(task, kinds[i].alg, der.at, der.len);
				der.at[at] ^= (uint8_t)(1 << bit);
				CHECK(!is_key || (at >= head && !is_of_curve(kinds[i].alg, at)));
			}
		}
		/* a length that only the end tells */
		der.at[1] = 0x80;
		CHECK(!is_read(task, kinds[i].alg, der.at, der.len));
	}
}

static void keys_of_other_kinds_and_curves_are_none(void **state)
{
	static const struct {
		enum alg alg;
		const char *type, *curve;
	} others[] = {
		{ ALG_ES256, "RSA", NULL },	{ ALG_RS256, "EC", "P-256" },
		{ ALG_ES256, "EC", "P-384" },	{ ALG_ES256, "EC", "secp256k1" },
		{ ALG_ES256, "ED25519", NULL }, { ALG_RS256, "ED25519", NULL },
	};
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		CLEANUP(pkey_free) EVP_PKEY *made = make(others[i].type, others[i].curve);
		struct secret der = write_key(task, made);

		CHECK(!is_read(task, others[i].alg, der.at, der.len));
	}
}

/* What i2d_PrivateKey writes instead when it could not write the other (RFC 5958). */
static void the_same_key_in_another_form_is_none(void **state)
{
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		CLEANUP(pkey_free) EVP_PKEY *made = make(kinds[i].type, kinds[i].curve);
		PKCS8_PRIV_KEY_INFO *form = EVP_PKEY2PKCS8(made);
		unsigned char *der = NULL;
		int len = i2d_PKCS8_PRIV_KEY_INFO(form, &der);

		CHECK(len > 0 && !is_read(task, kinds[i].alg, der, (size_t)len));
		OPENSSL_free(der);
		PKCS8_PRIV_KEY_INFO_free(form);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(a_key_is_read_as_it_was_written), CASE(a_key_cut_short_or_longer_is_none),
		   CASE(a_byte_that_says_what_follows_is_taken_by_its_word),
		   CASE(keys_of_other_kinds_and_curves_are_none),
		   CASE(the_same_key_in_another_form_is_none));
}
