/* SPDX-License-Identifier: Apache-2.0 */
/* The short memory of checked tokens: what comes out is what went in, for a second. */
#include "check.h"

#include "authority/verified.h"

#include "base/arena.h"

static const struct token_claims claims = {
	.jti = STR_INIT("tok_a"),
	.client_id = STR_INIT("agent"),
	.sub = STR_INIT("usr_a"),
	.audience = STR_INIT("https://grantd.test/r/mail"),
	.grant_id = STR_INIT("gra_a"),
	.family_id = STR_INIT("fam_a"),
	.scope = STR_INIT("mail.read mail.send"),
	.issued_at = 1000,
	.expires_at = 301000,
	.auth_time = 500,
};

static void what_was_checked_is_found_for_a_second_and_only_then(void **state)
{
	struct verified *verified = verified_new();
	struct arena arena = { 0 };
	struct token_claims found = { 0 };
	uint8_t token[SHA256_LEN], other[SHA256_LEN];

	(void)state;
	sha256(STR("a token"), token);
	sha256(STR("another"), other);
	CHECK(!verified_find(verified, token, 10000, &arena, &found));
	verified_add(verified, token, 10000, &claims, 0);
	CHECK(!verified_find(verified, other, 10000, &arena, &found));
	CHECK(verified_find(verified, token, 11000, &arena, &found));
	CHECK_STR(found.jti, claims.jti);
	CHECK_STR(found.audience, claims.audience);
	CHECK_STR(found.scope, claims.scope);
	CHECK(found.acr.at == NULL);
	CHECK(found.issued_at == 1000 && found.expires_at == 301000 && found.auth_time == 500);
	CHECK(!verified_find(verified, token, 11001, &arena, &found));
	verified_free(&verified);
	CHECK_STR(found.sub, claims.sub); /* a copy, not a view */
	arena_free(&arena);
}

static void a_full_set_gives_up_its_oldest(void **state)
{
	struct verified *verified = verified_new();
	struct arena arena = { 0 };
	struct token_claims found;
	uint8_t token[SHA256_LEN] = { 0 };

	(void)state;
	for (uint8_t i = 0; i < 5; i++) {
		token[31] = i;
		verified_add(verified, token, 10000 + i, &claims, 0);
	}
	token[31] = 0;
	CHECK(!verified_find(verified, token, 10005, &arena, &found));
	for (uint8_t i = 1; i < 5; i++) {
		token[31] = i;
		CHECK(verified_find(verified, token, 10005, &arena, &found));
	}
	verified_free(&verified);
	arena_free(&arena);
}

static void claims_too_long_to_keep_are_not_kept(void **state)
{
	struct verified *verified = verified_new();
	struct arena arena = { 0 };
	struct token_claims found, longer = claims;
	uint8_t token[SHA256_LEN] = { 0 };

	(void)state;
	longer.scope = (struct str){ arena_alloc(&arena, 600), 600 };
	verified_add(verified, token, 10000, &longer, 0);
	CHECK(!verified_find(verified, token, 10000, &arena, &found));
	verified_free(&verified);
	arena_free(&arena);
}

static void a_new_round_forgets_all_and_what_was_checked_in_an_earlier_one(void **state)
{
	struct verified *verified = verified_new();
	struct arena arena = { 0 };
	struct token_claims found;
	uint8_t before[SHA256_LEN] = { 0 }, late[SHA256_LEN] = { 1 };
	uint64_t round = verified_round(verified);

	(void)state;
	verified_add(verified, before, 10000, &claims, round);
	verified_forget(verified);
	CHECK(!verified_find(verified, before, 10000, &arena, &found));
	verified_add(verified, late, 10000, &claims, round); /* its check began before */
	CHECK(!verified_find(verified, late, 10000, &arena, &found));
	verified_add(verified, late, 10000, &claims, verified_round(verified));
	CHECK(verified_find(verified, late, 10000, &arena, &found));
	verified_free(&verified);
	arena_free(&arena);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_new_round_forgets_all_and_what_was_checked_in_an_earlier_one),
		   cmocka_unit_test(what_was_checked_is_found_for_a_second_and_only_then),
		   cmocka_unit_test(a_full_set_gives_up_its_oldest),
		   cmocka_unit_test(claims_too_long_to_keep_are_not_kept));
}
