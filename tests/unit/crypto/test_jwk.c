/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jwk.h"

#include <string.h>

#include "../vectors/jose.h"
#include "check.h"

static enum err parse(struct task *task, struct str text, struct public_key **ret_key)
{
	CLEANUP(json_unref) json_t *jwk = NULL;

	TRY(json_parse(task, text, 64 * 1024, &jwk));
	return jwk_parse(task, jwk, ret_key);
}

static void check_refused(struct task *task, struct str text)
{
	struct public_key *key = NULL;

	CHECK_ERR(parse(task, text, &key), ERR_SYNTAX);
	CHECK(key == NULL);
}

static void a_key_allows_only_algorithms_of_its_kind(void **state)
{
	static const struct {
		struct str jwk;
		unsigned algs;
	} cases[] = {
		{ STR_INIT(EC_JWK), 1U << ALG_ES256 },
		{ STR_INIT(RSA_JWK), 1U << ALG_RS256 | 1U << ALG_PS256 },
		{ STR_INIT(OKP_JWK), 1U << ALG_EDDSA },
		{ STR_INIT(THUMBPRINT_JWK), 1U << ALG_RS256 }, /* its alg says so */
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CLEANUP(public_key_free) struct public_key *key = NULL;

		CHECK_ERR(parse(*state, cases[i].jwk, &key), OK);
		for (unsigned alg = 0; alg < ALG_COUNT; alg++)
			CHECK(public_key_allows(key, (enum alg)alg) ==
			      ((cases[i].algs & 1U << alg) != 0));
	}
}

static void thumbprints_are_those_of_rfc_7638_and_8037(void **state)
{
	CLEANUP(public_key_free) struct public_key *rsa = NULL;
	CLEANUP(public_key_free) struct public_key *okp = NULL;
	struct task *task = *state;

	CHECK_ERR(parse(task, STR(THUMBPRINT_JWK), &rsa), OK);
	CHECK_STR(public_key_thumbprint(&task->arena, rsa), STR(THUMBPRINT));
	CHECK_ERR(parse(task, STR(OKP_JWK), &okp), OK);
	CHECK_STR(public_key_thumbprint(&task->arena, okp), STR(OKP_THUMBPRINT));
}

static void what_does_not_identify_a_key_does_not_change_its_thumbprint(void **state)
{
	CLEANUP(public_key_free) struct public_key *plain = NULL;
	CLEANUP(public_key_free) struct public_key *more = NULL;
	struct task *task = *state;

	CHECK_ERR(parse(task, STR(EC_JWK), &plain), OK);
	CHECK_ERR(parse(task,
			STR("{\"use\":\"sig\",\"y\":\"" EC_Y "\",\"x\":\"" EC_X
			    "\",\"kid\":\"k\",\"alg\":\"ES256\",\"crv\":\"P-256\",\"kty\":\"EC\","
			    "\"key_ops\":[\"verify\"]}"),
			&more),
		  OK);
	CHECK_STR(public_key_thumbprint(&task->arena, plain),
		  public_key_thumbprint(&task->arena, more));
}

/* DP-004 */
static void private_and_symmetric_keys_are_refused(void **state)
{
	static const char *const members[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		struct str secret = str_printf(&task->arena, ",\"%s\":\"" EC_D "\"}", members[i]);
		struct str ec = STR(EC_JWK), rsa = STR(RSA_JWK), okp = STR(OKP_JWK);

		check_refused(task, STR_JOIN(&task->arena, str_sub(ec, 0, ec.len - 1), secret));
		check_refused(task, STR_JOIN(&task->arena, str_sub(rsa, 0, rsa.len - 1), secret));
		check_refused(task, STR_JOIN(&task->arena, str_sub(okp, 0, okp.len - 1), secret));
	}
	check_refused(task, STR("{\"kty\":\"oct\",\"k\":\"" EC_D "\"}"));
	check_refused(task, STR("{\"kty\":\"oct\"}"));
}

/* DP-004 */
static void keys_of_other_kinds_are_refused(void **state)
{
	check_refused(*state, STR("{}"));
	check_refused(*state, STR("[]"));
	check_refused(*state, STR("{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" EC_X
				  "\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X
				  "\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" EC_X
				  "\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":[\"EC\"],\"crv\":\"P-256\",\"x\":\"" EC_X
				  "\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" OKP_X "\"}"));
	check_refused(*state, STR("{\"kty\":\"RSA\",\"crv\":\"P-256\",\"x\":\"" EC_X
				  "\",\"y\":\"" EC_Y "\"}"));
}

/* DP-004 */
static void points_off_the_curve_are_refused(void **state)
{
	/*
	 * x and y exchanged; y with its last bit flipped; zero; beyond the field; too short; padded
	 */
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y
				  "\",\"y\":\"" EC_X "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X
				  "\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw\"}"));
	check_refused(
		*state,
		STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		    "AAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"));
	check_refused(*state,
		      STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"__________________________"
			  "_______________8\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vu\","
				  "\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X
				  "=\",\"y\":\"" EC_Y "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}"));
	check_refused(*state, STR("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":7}"));
}

static void ed25519_points_of_small_order_are_refused(void **state)
{
	/* the neutral element, and zero */
	check_refused(*state, STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
				  "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"));
	check_refused(*state, STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
				  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"));
}

/* DP-005; the large modulus is refused by its length, before any arithmetic */
static void rsa_keys_outside_of_the_bounds_are_refused(void **state)
{
	struct task *task = *state;
	char huge[16384 / 8 * 4 / 3 + 1];

	memset(huge, 'x', sizeof(huge));
	check_refused(task, STR("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" SMALL_RSA_N "\"}"));
	check_refused(task, STR_JOIN(&task->arena, STR("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""),
				     ((struct str){ huge, sizeof(huge) }), STR("\"}")));
	check_refused(task, STR("{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" RSA_N "\"}"));
	check_refused(task, STR("{\"kty\":\"RSA\",\"e\":\"Aw\",\"n\":\"" RSA_N "\"}"));
	check_refused(task, STR("{\"kty\":\"RSA\",\"e\":\"AAEAAQ\",\"n\":\"" RSA_N "\"}"));
	check_refused(task, STR("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\"}"));
	check_refused(task, STR("{\"kty\":\"RSA\",\"e\":\"AQAB\"}"));
	/* a leading zero byte: 2048 bits in name only, and a second spelling */
	check_refused(task, STR("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AAAA" RSA_N "\"}"));
}

static void keys_for_another_purpose_are_refused(void **state)
{
	static const char *const members[] = {
		"\"use\":\"enc\"",	  "\"use\":7",	       "\"key_ops\":[\"sign\"]",
		"\"key_ops\":\"verify\"", "\"key_ops\":[7]",   "\"alg\":\"RS256\"",
		"\"alg\":\"none\"",	  "\"alg\":\"HS256\"", "\"alg\":\"ES384\"",
		"\"alg\":null",		  "\"key_ops\":[]",
	};
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		struct str ec = STR(EC_JWK);

		check_refused(task, STR_JOIN(&task->arena, str_sub(ec, 0, ec.len - 1), STR(","),
					     str_from_c(members[i]), STR("}")));
	}
}

static void only_four_algorithms_have_names(void **state)
{
	static const char *const names[] = { "ES256", "RS256", "PS256", "EdDSA" };
	static const char *const bad[] = { "none",  "None",  "nOnE",  "HS256",	"es256", "ES256K",
					   "ES384", "RS512", "eddsa", "ES256 ", "",	 "RSA1_5" };

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		enum alg alg;

		CHECK_ERR(alg_from_name(*state, str_from_c(names[i]), &alg), OK);
		CHECK_STR(alg_name(alg), str_from_c(names[i]));
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		enum alg alg;

		CHECK_ERR(alg_from_name(*state, str_from_c(bad[i]), &alg), ERR_SYNTAX);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(a_key_allows_only_algorithms_of_its_kind),
		   CASE(thumbprints_are_those_of_rfc_7638_and_8037),
		   CASE(what_does_not_identify_a_key_does_not_change_its_thumbprint),
		   CASE(private_and_symmetric_keys_are_refused),
		   CASE(keys_of_other_kinds_are_refused), CASE(points_off_the_curve_are_refused),
		   CASE(ed25519_points_of_small_order_are_refused),
		   CASE(rsa_keys_outside_of_the_bounds_are_refused),
		   CASE(keys_for_another_purpose_are_refused),
		   CASE(only_four_algorithms_have_names));
}
