/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/jws.h"

#include <string.h>

#include "../vectors/jose.h"
#include "check.h"
#include "crypto/base64.h"

/* Parses and checks with the key of that JWK. */
static enum err check(struct task *task, struct str text, struct str jwk_text)
{
	CLEANUP(public_key_free) struct public_key *key = NULL;
	CLEANUP(json_unref) json_t *jwk = NULL;
	CLEANUP(jws_free) struct jws jws = { 0 };

	CHECK_ERR(json_parse(task, jwk_text, 8192, &jwk), OK);
	CHECK_ERR(jwk_parse(task, jwk, &key), OK);
	TRY(jws_parse(task, text, false, &jws));
	return jws_check(task, &jws, key);
}

/* A JWS with that header over the published payload and signature. */
static struct str with_header(struct task *task, const char *header)
{
	return STR_JOIN(&task->arena, base64url_encode(&task->arena, str_from_c(header)),
			STR("." PAYLOAD "." ES256_SIGNATURE));
}

static enum err parse_header(struct task *task, const char *header, bool allow_jwk)
{
	CLEANUP(jws_free) struct jws jws = { 0 };

	return jws_parse(task, with_header(task, header), allow_jwk, &jws);
}

static void the_published_signatures_are_right(void **state)
{
	CHECK_ERR(check(*state, STR(ES256_JWS), STR(EC_JWK)), OK);
	CHECK_ERR(check(*state, STR(RS256_JWS), STR(RSA_JWK)), OK);
	CHECK_ERR(check(*state, STR(EDDSA_JWS), STR(OKP_JWK)), OK);
	CHECK_ERR(check(*state, STR(PS256_SIGNED "." PS256_SIGNATURE), STR(PS256_JWK)), OK);
}

static void the_parts_are_given_back(void **state)
{
	CLEANUP(jws_free) struct jws jws = { 0 };
	const char *header = "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"x5t\":\"a\"}";

	CHECK_ERR(jws_parse(*state, with_header(*state, header), false, &jws), OK);
	CHECK(jws.alg == ALG_ES256);
	CHECK_STR(jws.typ, STR("at+jwt"));
	CHECK_STR(jws.kid, STR("k1"));
	CHECK(str_starts_with(jws.payload, STR("{\"iss\":\"joe\"")));
	CHECK(jws.signature.len == 64);
}

static void one_changed_character_anywhere_is_refused(void **state)
{
	struct task *task = *state;
	struct str good = STR(ES256_JWS);

	for (size_t i = 0; i < good.len; i++) {
		char changed[sizeof(ES256_JWS)];

		memcpy(changed, good.at, good.len);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		CHECK_ERR(check(task, (struct str){ changed, good.len }, STR(EC_JWK)), ERR_TOKEN);
	}
}

/* JW-002, RFC 8725 3.1 */
static void the_header_does_not_choose_the_algorithm(void **state)
{
	CHECK_ERR(check(*state, STR(ES256_JWS), STR(RSA_JWK)), ERR_TOKEN);
	CHECK_ERR(check(*state, STR(RS256_JWS), STR(EC_JWK)), ERR_TOKEN);
	CHECK_ERR(check(*state, STR(EDDSA_JWS), STR(EC_JWK)), ERR_TOKEN);
	CHECK_ERR(check(*state, STR(RS256_JWS), STR(OKP_JWK)), ERR_TOKEN);
	/* a key whose alg is RS256 does not verify PS256, nor the other way */
	CHECK_ERR(check(*state, STR(PS256_SIGNED "." PS256_SIGNATURE), STR(THUMBPRINT_JWK)),
		  ERR_TOKEN);
	CHECK_ERR(check(*state, STR(RS256_HEADER "." PAYLOAD "." PS256_SIGNATURE), STR(PS256_JWK)),
		  ERR_TOKEN);
}

static void a_pss_salt_of_another_length_is_refused(void **state)
{
	CHECK_ERR(check(*state, STR(PS256_SIGNED "." PS256_SHORT_SALT), STR(PS256_JWK)), ERR_TOKEN);
}

/* JW-001, JW-002 */
static void algorithms_that_are_not_ours_are_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",
		"{\"alg\":\"None\"}",
		"{\"alg\":\"nOnE\"}",
		"{\"alg\":\"HS256\"}",
		"{\"alg\":\"HS512\"}",
		"{\"alg\":\"ES384\"}",
		"{\"alg\":\"RS1\"}",
		"{\"alg\":\"\"}",
		"{\"alg\":null}",
		"{\"alg\":7}",
		"{\"alg\":[\"ES256\"]}",
		"{\"typ\":\"JWT\"}",
		"{}",
	};

	for (size_t i = 0; i < COUNT_OF(headers); i++)
		CHECK_ERR(parse_header(*state, headers[i], false), ERR_TOKEN);
	CHECK_ERR(parse_header(*state, "{\"alg\":\"ES256\"}", false), OK);
}

/* JW-007, JW-009 */
static void headers_that_bring_keys_or_change_the_rules_are_refused(void **state)
{
	static const char *const members[] = {
		"\"crit\":[\"exp\"]",
		"\"crit\":[]",
		"\"b64\":false",
		"\"b64\":true",
		"\"jku\":\"https://attacker.example/jwks\"",
		"\"x5u\":\"https://attacker.example/cert\"",
		"\"x5c\":[\"AAAA\"]",
		"\"jwk\":" EC_JWK,
		"\"zip\":\"DEF\"",
		"\"enc\":\"A256GCM\"",
		"\"typ\":7",
		"\"kid\":{\"a\":1}",
		"\"kid\":null",
		"\"alg\":\"ES256\"", /* twice */
	};
	struct task *task = *state;

	for (size_t i = 0; i < COUNT_OF(members); i++) {
		struct str header = str_printf(&task->arena, "{\"alg\":\"ES256\",%s}", members[i]);

		CHECK_ERR(parse_header(task, header.at, false), ERR_TOKEN);
	}
}

static void a_key_in_the_header_passes_where_it_is_asked_for(void **state)
{
	CHECK_ERR(parse_header(*state, "{\"alg\":\"ES256\",\"jwk\":" EC_JWK "}", true), OK);
	CHECK_ERR(parse_header(*state, "{\"alg\":\"ES256\",\"jku\":\"https://a.example\"}", true),
		  ERR_TOKEN);
}

/* JW-008, JW-009 */
static void other_shapes_are_refused(void **state)
{
	static const struct str bad[] = {
		STR_INIT(""),
		STR_INIT("."),
		STR_INIT(".."),
		STR_INIT("..."),
		STR_INIT(ES256_HEADER),
		STR_INIT(ES256_HEADER "." PAYLOAD),
		STR_INIT(ES256_HEADER "." PAYLOAD "."), /* signature removed */
		STR_INIT(ES256_HEADER ".." ES256_SIGNATURE),
		STR_INIT("." PAYLOAD "." ES256_SIGNATURE),
		STR_INIT(ES256_JWS "."),
		STR_INIT(ES256_JWS "." ES256_SIGNATURE),
		STR_INIT(ES256_JWS "." ES256_SIGNATURE "." ES256_SIGNATURE), /* as JWE */
		STR_INIT(ES256_JWS "="),
		STR_INIT(ES256_JWS "=="),
		STR_INIT(ES256_HEADER "=." PAYLOAD "." ES256_SIGNATURE),
		STR_INIT(" " ES256_JWS),
		STR_INIT(ES256_JWS " "),
		STR_INIT(ES256_JWS "\n"),
		STR_INIT(ES256_HEADER " ." PAYLOAD "." ES256_SIGNATURE),
		STR_INIT(ES256_HEADER "\t." PAYLOAD "." ES256_SIGNATURE),
		STR_INIT("{\"protected\":\"" ES256_HEADER "\",\"payload\":\"" PAYLOAD
			 "\",\"signature\":\"" ES256_SIGNATURE "\"}"),
		STR_INIT("bm90IGpzb24." PAYLOAD "." ES256_SIGNATURE), /* "not json" */
		STR_INIT("WyJhbGciXQ." PAYLOAD "." ES256_SIGNATURE),  /* ["alg"] */
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ERR(check(*state, bad[i], STR(EC_JWK)), ERR_TOKEN);
	CHECK_ERR(check(*state, STR_NONE, STR(EC_JWK)), ERR_TOKEN);
}

/*
 * JW-008: the last character carries two bits that mean nothing, so "Q", "R", "S" and "T" decode
 * alike.
 */
static void another_spelling_of_the_same_bytes_is_refused(void **state)
{
	CHECK(ES256_SIGNATURE[sizeof(ES256_SIGNATURE) - 2] == 'Q');
	for (char c = 'R'; c <= 'T'; c++) {
		char text[sizeof(ES256_JWS)] = ES256_JWS;

		text[sizeof(text) - 2] = c;
		CHECK_ERR(check(*state, (struct str){ text, sizeof(text) - 1 }, STR(EC_JWK)),
			  ERR_TOKEN);
	}
}

/* CA-025 */
static void es256_signatures_of_another_form_are_refused(void **state)
{
	struct task *task = *state;
	uint8_t bytes[80] = { 0 };
	struct str good, der;

	CHECK_ERR(base64url_decode(task, STR(ES256_SIGNATURE), &good), OK);
	der = STR_JOIN(&task->arena, STR("\x30\x45\x02\x20"), str_sub(good, 0, 32),
		       STR("\x02\x21\x00"), str_from(good, 32));
	const struct str signatures[] = {
		{ (const char *)bytes, 64 }, /* r = s = 0 */
		STR_JOIN(&task->arena, str_sub(good, 0, 32),
			 ((struct str){ (const char *)bytes, 32 })), /* s = 0 */
		STR_JOIN(&task->arena, ((struct str){ (const char *)bytes, 32 }),
			 str_from(good, 32)), /* r = 0 */
		der,
		str_sub(good, 0, 63),
		STR_JOIN(&task->arena, good, STR("\x00")),
		STR_JOIN(&task->arena, STR("\x00"), good),
		str_sub(good, 0, 32),
		STR_JOIN(&task->arena, good, good),
		str_sub(good, 0, 1),
	};

	for (size_t i = 0; i < COUNT_OF(signatures); i++)
		CHECK_ERR(check(task,
				STR_JOIN(&task->arena, STR(ES256_HEADER "." PAYLOAD "."),
					 base64url_encode(&task->arena, signatures[i])),
				STR(EC_JWK)),
			  ERR_TOKEN);
	CHECK_ERR(check(task,
			STR_JOIN(&task->arena, STR(ES256_HEADER "." PAYLOAD "."),
				 base64url_encode(&task->arena, good)),
			STR(EC_JWK)),
		  OK);
}

static void a_token_that_is_too_long_is_refused(void **state)
{
	struct task *task = *state;
	char *at = arena_alloc(&task->arena, JWS_MAX);

	memset(at, 'A', JWS_MAX);
	CHECK_ERR(check(task,
			STR_JOIN(&task->arena, STR(ES256_HEADER "."), ((struct str){ at, JWS_MAX }),
				 STR("." ES256_SIGNATURE)),
			STR(EC_JWK)),
		  ERR_TOKEN);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(the_published_signatures_are_right), CASE(the_parts_are_given_back),
		   CASE(one_changed_character_anywhere_is_refused),
		   CASE(the_header_does_not_choose_the_algorithm),
		   CASE(a_pss_salt_of_another_length_is_refused),
		   CASE(algorithms_that_are_not_ours_are_refused),
		   CASE(headers_that_bring_keys_or_change_the_rules_are_refused),
		   CASE(a_key_in_the_header_passes_where_it_is_asked_for),
		   CASE(other_shapes_are_refused),
		   CASE(another_spelling_of_the_same_bytes_is_refused),
		   CASE(es256_signatures_of_another_form_are_refused),
		   CASE(a_token_that_is_too_long_is_refused));
}
