/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/json.h"
#include "crypto/base64.h"
#include "crypto/jws.h"
#include "keys_world.h"

#define CLAIMS STR("{\"sub\":\"usr_alice\"}")
#define TYP    STR("at+jwt")

static struct str sign(struct keys_world *world, const char *purpose)
{
	struct str jwt = STR_NONE;

	CHECK_ERR(keys_sign_jwt(&world->task, world->keys, str_from_c(purpose), TYP, CLAIMS, &jwt),
		  OK);
	return jwt;
}

static enum err verify(struct keys_world *world, struct str jwt, struct str typ)
{
	CLEANUP(json_unref) json_t *claims = NULL;
	struct str purpose = STR_NONE;

	TRY(keys_verify_jwt(&world->task, world->keys, jwt, typ, &claims, &purpose));
	CHECK_STR(json_get_str(claims, "sub"), STR("usr_alice"));
	CHECK_STR(purpose, STR("access"));
	return OK;
}

static struct str jwks(struct keys_world *world, struct str purpose)
{
	struct str text = STR_NONE;

	CHECK_ERR(keys_jwks(&world->task, world->keys, purpose, &text), OK);
	return text;
}

/* Checks jwt with the only key of a JWKS, as a resource server would. */
static enum err check_by_jwks(struct keys_world *world, struct str jwt, struct str text)
{
	CLEANUP(json_unref) json_t *set = NULL;
	CLEANUP(jws_free) struct jws jws = { 0 };
	CLEANUP(public_key_free) struct public_key *key = NULL;
	const json_t *jwk;

	CHECK_ERR(json_parse(&world->task, text, 65536, &set), OK);
	CHECK(json_array_size(json_object_get(set, "keys")) == 1);
	jwk = json_array_get(json_object_get(set, "keys"), 0);
	CHECK_ERR(jwk_parse(&world->task, jwk, &key), OK);
	CHECK_ERR(jws_parse(&world->task, jwt, false, &jws), OK);
	CHECK_STR(jws.kid, json_get_str(jwk, "kid"));
	CHECK_STR(json_get_str(jwk, "use"), STR("sig"));
	CHECK_STR(json_get_str(jwk, "alg"), alg_name(jws.alg));
	CHECK_STR(jws.kid, str_sub(public_key_thumbprint(&world->task.arena, key), 0, 22));
	return jws_check(&world->task, &jws, key);
}

static void a_token_we_sign_verifies_here_and_by_the_jwks(void **state)
{
	static const enum alg algs[] = { ALG_ES256, ALG_RS256 };
	struct keys_world *world = *state;

	for (size_t i = 0; i < COUNT_OF(algs); i++) {
		struct key_record record = world_load(world, "access", algs[i]);
		struct str jwt = sign(world, "access");

		CHECK_ERR(verify(world, jwt, TYP), OK);
		CHECK_ERR(check_by_jwks(world, jwt, jwks(world, STR_NONE)), OK);
		CHECK(memmem(jwks(world, STR_NONE).at, jwks(world, STR_NONE).len,
			     record.public_jwk.at, record.public_jwk.len) != NULL);
	}
}

static void a_jwks_holds_no_private_member(void **state)
{
	struct keys_world *world = *state;

	(void)world_load(world, "access", ALG_RS256);
	CHECK(memmem(jwks(world, STR_NONE).at, jwks(world, STR_NONE).len, "\"d\"", 3) == NULL);
	(void)world_load(world, "access", ALG_ES256);
	CHECK(memmem(jwks(world, STR_NONE).at, jwks(world, STR_NONE).len, "\"d\"", 3) == NULL);
}

/* JW-003 */
static void a_token_of_another_type_is_refused(void **state)
{
	struct keys_world *world = *state;
	struct str jwt;

	(void)world_load(world, "access", ALG_ES256);
	jwt = sign(world, "access");
	CHECK_ERR(verify(world, jwt, STR("JWT")), ERR_TOKEN);
	CHECK_ERR(verify(world, jwt, STR("application/at+jwt")), ERR_TOKEN);
	CHECK_ERR(verify(world, jwt, STR("AT+JWT")), ERR_TOKEN);
	CHECK_ERR(verify(world, jwt, STR("")), ERR_TOKEN);
	CHECK_ERR(verify(world, jwt, STR_NONE), ERR_TOKEN);
}

/* JW-007 */
static void a_token_of_a_key_that_is_not_loaded_is_refused(void **state)
{
	struct keys_world *world = *state;
	struct str jwt;

	(void)world_load(world, "access", ALG_ES256);
	jwt = sign(world, "access");
	(void)world_load(world, "access", ALG_ES256);
	CHECK_ERR(verify(world, jwt, TYP), ERR_TOKEN);
	CHECK_ERR(keys_load(&world->task, world->keys, NULL, 0), OK);
	CHECK_ERR(verify(world, jwt, TYP), ERR_TOKEN);
}

/* A token with its header replaced; the signature stays. */
static struct str with_header(struct keys_world *world, struct str jwt, struct str header)
{
	return STR_JOIN(&world->task.arena, base64url_encode(&world->task.arena, header),
			str_from(jwt, str_find(jwt, '.')));
}

/* JW-001, JW-002, JW-007 */
static void a_header_cannot_choose_key_or_algorithm(void **state)
{
	struct keys_world *world = *state;
	struct arena *arena = &world->task.arena;
	struct str kid = world_load(world, "access", ALG_ES256).id, jwt = sign(world, "access");
	const struct str headers[] = {
		str_printf(arena, "{\"typ\":\"at+jwt\",\"alg\":\"none\",\"kid\":\"%s\"}", kid.at),
		str_printf(arena, "{\"typ\":\"at+jwt\",\"alg\":\"HS256\",\"kid\":\"%s\"}", kid.at),
		str_printf(arena, "{\"typ\":\"at+jwt\",\"alg\":\"RS256\",\"kid\":\"%s\"}", kid.at),
		STR("{\"typ\":\"at+jwt\",\"alg\":\"ES256\"}"),
		STR("{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"\"}"),
		STR("{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"../../etc/passwd\"}"),
	};

	for (size_t i = 0; i < COUNT_OF(headers); i++)
		CHECK_ERR(verify(world, with_header(world, jwt, headers[i]), TYP), ERR_TOKEN);
	CHECK_ERR(verify(world, jwt, TYP), OK);
}

static void claims_that_are_no_object_are_refused(void **state)
{
	static const char *const bad[] = { "[]", "7", "\"a\"", "{", "{\"a\":1,\"a\":2}" };
	struct keys_world *world = *state;

	(void)world_load(world, "access", ALG_ES256);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct str jwt = STR_NONE;

		CHECK_ERR(keys_sign_jwt(&world->task, world->keys, STR("access"), TYP,
					str_from_c(bad[i]), &jwt),
			  OK);
		CHECK_ERR(verify(world, jwt, TYP), ERR_TOKEN);
	}
}

static void without_a_key_of_that_purpose_nothing_is_signed(void **state)
{
	struct keys_world *world = *state;
	struct str jwt = STR_NONE;

	CHECK_ERR(keys_sign_jwt(&world->task, world->keys, STR("access"), TYP, CLAIMS, &jwt),
		  ERR_CRYPTO);
	(void)world_load(world, "access", ALG_ES256);
	CHECK_ERR(keys_sign_jwt(&world->task, world->keys, STR("id"), TYP, CLAIMS, &jwt),
		  ERR_CRYPTO);
	CHECK(jwt.at == NULL);
}

static void a_token_beyond_the_ceiling_is_not_made(void **state)
{
	struct keys_world *world = *state;
	struct str large = { arena_alloc(&world->task.arena, JWS_MAX), JWS_MAX }, jwt = STR_NONE;

	(void)world_load(world, "access", ALG_ES256);
	CHECK_ERR(keys_sign_jwt(&world->task, world->keys, STR("access"), TYP, large, &jwt),
		  ERR_TOO_LARGE);
}

static void the_newest_key_past_its_start_signs(void **state)
{
	struct keys_world *world = *state;
	struct key_record records[3];
	struct str text;

	for (size_t i = 0; i < COUNT_OF(records); i++)
		CHECK_ERR(keys_generate(&world->task, world->keys, STR("access"), ALG_ES256,
					&records[i]),
			  OK);
	records[0].not_before = CHECK_NOW - DAY_MS;
	records[1].not_before = CHECK_NOW;
	records[2].not_before = CHECK_NOW + DAY_MS;
	CHECK_ERR(keys_load(&world->task, world->keys, records, COUNT_OF(records)), OK);
	for (size_t i = 1; i < COUNT_OF(records); i++) {
		CLEANUP(jws_free) struct jws jws = { 0 };

		CHECK_ERR(jws_parse(&world->task, sign(world, "access"), false, &jws), OK);
		CHECK_STR(jws.kid, records[i].id);
		world->task.now += DAY_MS;
	}
	/* published before its first use */
	world->task.now = CHECK_NOW;
	text = jwks(world, STR_NONE);
	CHECK(memmem(text.at, text.len, records[2].id.at, records[2].id.len) != NULL);
}

static void a_retired_key_neither_signs_nor_verifies_nor_is_published(void **state)
{
	struct keys_world *world = *state;
	struct key_record record = world_load(world, "access", ALG_ES256);
	struct str jwt = sign(world, "access"), unused = STR_NONE;

	record.retire_at = CHECK_NOW + 1;
	CHECK_ERR(keys_load(&world->task, world->keys, &record, 1), OK);
	CHECK_ERR(verify(world, jwt, TYP), OK);
	world->task.now += 1;
	CHECK_ERR(verify(world, jwt, TYP), ERR_TOKEN);
	CHECK_ERR(keys_sign_jwt(&world->task, world->keys, STR("access"), TYP, CLAIMS, &unused),
		  ERR_CRYPTO);
	CHECK_STR(jwks(world, STR_NONE), STR("{\"keys\":[]}"));
}

static void a_jwks_is_ordered_and_holds_only_what_was_asked_for(void **state)
{
	static const char *const purposes[] = { "access", "id", "resource:crm" };
	struct keys_world *world = *state;
	struct key_record records[3], reversed[3];
	struct str all, crm;

	for (size_t i = 0; i < COUNT_OF(records); i++) {
		CHECK_ERR(keys_generate(&world->task, world->keys, str_from_c(purposes[i]),
					ALG_ES256, &records[i]),
			  OK);
		records[i].created_at += (int64_t)i;
		reversed[2 - i] = records[i];
	}
	CHECK_ERR(keys_load(&world->task, world->keys, records, 3), OK);
	all = jwks(world, STR_NONE);
	crm = jwks(world, STR("resource:crm"));
	CHECK_STR(all, STR_JOIN(&world->task.arena, STR("{\"keys\":["), records[0].public_jwk,
				STR(","), records[1].public_jwk, STR("]}")));
	CHECK_STR(crm, STR_JOIN(&world->task.arena, STR("{\"keys\":["), records[2].public_jwk,
				STR("]}")));
	CHECK_STR(jwks(world, STR("resource:mail")), STR("{\"keys\":[]}"));
	CHECK_ERR(keys_load(&world->task, world->keys, reversed, 3), OK);
	CHECK_STR(jwks(world, STR_NONE), all);
}

/* VL-022 */
static void signing_keys_of_another_root_do_not_load(void **state)
{
	struct keys_world *world = *state;
	struct key_record record = world_load(world, "access", ALG_ES256);
	struct str file = world_file(world, "other.key");

	keys_free(&world->keys);
	CHECK_ERR(keys_create_root(&world->task, file), OK);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &world->keys), OK);
	CHECK_ERR(keys_load(&world->task, world->keys, &record, 1), ERR_CRYPTO);
}

static void a_changed_row_does_not_load_and_the_old_set_stays(void **state)
{
	struct keys_world *world = *state;
	struct key_record good = world_load(world, "id", ALG_ES256), bad[5], other;
	struct str jwt;

	good = world_load(world, "access", ALG_ES256);
	jwt = sign(world, "access");
	CHECK_ERR(keys_generate(&world->task, world->keys, STR("id"), ALG_ES256, &other), OK);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = good;
	bad[0].purpose = STR("id");
	bad[1].alg = ALG_RS256;
	bad[2].id = other.id;
	bad[3].sealed = other.sealed;
	bad[4].sealed = str_sub(good.sealed, 0, good.sealed.len - 1);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ERR(keys_load(&world->task, world->keys, &bad[i], 1), ERR_CRYPTO);
	bad[0] = good;
	bad[0].alg = ALG_PS256;
	CHECK_ERR(keys_load(&world->task, world->keys, bad, 1), ERR_CRYPTO);
	CHECK_ERR(verify(world, jwt, TYP), OK);
}

static void a_public_key_put_into_the_row_is_not_published(void **state)
{
	struct keys_world *world = *state;
	struct key_record record = world_load(world, "access", ALG_ES256);
	struct str before = jwks(world, STR_NONE);

	record.public_jwk = STR("{\"kty\":\"EC\"}");
	CHECK_ERR(keys_load(&world->task, world->keys, &record, 1), OK);
	CHECK_STR(jwks(world, STR_NONE), before);
}

static void only_es256_and_rs256_keys_are_made(void **state)
{
	struct keys_world *world = *state;
	struct key_record record = { 0 };

	CHECK_ERR(keys_generate(&world->task, world->keys, STR("access"), ALG_EDDSA, &record),
		  ERR_CONFIG);
	CHECK_ERR(keys_generate(&world->task, world->keys, STR("access"), ALG_PS256, &record),
		  ERR_CONFIG);
	CHECK(record.id.at == NULL);
}

struct signer {
	struct keys_world *world;
	atomic_bool *stop;
	unsigned rounds;
	unsigned failures;
};

static void *sign_and_verify(void *arg)
{
	struct signer *signer = arg;

	while (!atomic_load(signer->stop) || signer->rounds < 20) {
		CLEANUP(json_unref) json_t *claims = NULL;
		struct task task;
		struct str jwt = STR_NONE, purpose = STR_NONE;

		task_begin(&task, &signer->world->clock.clock, NULL);
		if (keys_sign_jwt(&task, signer->world->keys, STR("access"), TYP, CLAIMS, &jwt) !=
			    OK ||
		    keys_verify_jwt(&task, signer->world->keys, jwt, TYP, &claims, &purpose) != OK)
			signer->failures++;
		signer->rounds++;
		task_end(&task);
	}
	return NULL;
}

/* The old key stays in each set, as in a rotation, so that every token verifies at every moment. */
static void threads_sign_while_the_set_is_swapped(void **state)
{
	struct keys_world *world = *state;
	struct key_record records[2];
	atomic_bool stop = false;
	struct signer signers[2] = { { world, &stop, 0, 0 }, { world, &stop, 0, 0 } };
	pthread_t threads[2];

	for (size_t i = 0; i < 2; i++)
		CHECK_ERR(keys_generate(&world->task, world->keys, STR("access"), ALG_ES256,
					&records[i]),
			  OK);
	records[0].not_before = records[1].not_before = CHECK_NOW - DAY_MS;
	CHECK_ERR(keys_load(&world->task, world->keys, records, 2), OK);
	for (size_t i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, sign_and_verify, &signers[i]) == 0);
	for (size_t round = 0; round < 100; round++) {
		records[round % 2].not_before++;
		CHECK_ERR(keys_load(&world->task, world->keys, records, 2), OK);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < 2; i++) {
		CHECK(pthread_join(threads[i], NULL) == 0);
		CHECK(signers[i].failures == 0 && signers[i].rounds >= 20);
	}
}

int main(void)
{
	return RUN(WORLD_CASE(a_token_we_sign_verifies_here_and_by_the_jwks),
		   WORLD_CASE(a_jwks_holds_no_private_member),
		   WORLD_CASE(a_token_of_another_type_is_refused),
		   WORLD_CASE(a_token_of_a_key_that_is_not_loaded_is_refused),
		   WORLD_CASE(a_header_cannot_choose_key_or_algorithm),
		   WORLD_CASE(claims_that_are_no_object_are_refused),
		   WORLD_CASE(without_a_key_of_that_purpose_nothing_is_signed),
		   WORLD_CASE(a_token_beyond_the_ceiling_is_not_made),
		   WORLD_CASE(the_newest_key_past_its_start_signs),
		   WORLD_CASE(a_retired_key_neither_signs_nor_verifies_nor_is_published),
		   WORLD_CASE(a_jwks_is_ordered_and_holds_only_what_was_asked_for),
		   WORLD_CASE(signing_keys_of_another_root_do_not_load),
		   WORLD_CASE(a_changed_row_does_not_load_and_the_old_set_stays),
		   WORLD_CASE(a_public_key_put_into_the_row_is_not_published),
		   WORLD_CASE(only_es256_and_rs256_keys_are_made),
		   WORLD_CASE(threads_sign_while_the_set_is_swapped));
}
