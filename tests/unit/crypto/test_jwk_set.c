/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of a client's keys: as they are given to us, and as they are found published. */
#include "crypto/jwk_set.h"

#include "../vectors/jose.h"
#include "base/json.h"
#include "check.h"

#define SET(keys) "{\"keys\":[" keys "]}"
#define FOREIGN	  "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"}"

static enum err take(struct task *task, struct str text, struct str *ret_text)
{
	*ret_text = STR_NONE;
	task_forgive(task);
	return jwk_set_take(task, text, ret_text);
}

/* So many copies of a key in one set. */
static struct str set_of(struct task *task, const char *key, int count)
{
	struct str text = STR("{\"keys\":[");

	for (int i = 0; i < count; i++)
		text = STR_JOIN(&task->arena, text, i == 0 ? STR("") : STR(","), str_from_c(key));
	return STR_JOIN(&task->arena, text, STR("]}"));
}

static void of_a_published_set_only_what_verifies_is_taken(void **state)
{
	struct task *task = *state;
	struct str taken, again;

	CHECK_ERR(take(task, STR(SET(EC_JWK "," FOREIGN "," OKP_JWK)), &taken), OK);
	CHECK_ERR(jwk_set_check(task, taken, &again), OK);
	CHECK_STR(again, taken);
	CHECK_ERR(take(task, set_of(task, FOREIGN "," EC_JWK, 8), &taken), OK);
	CHECK(task->error == OK);
}

static void certificates_beside_a_key_do_not_count(void **state)
{
	struct task *task = *state;
	struct str taken, jwk = STR(EC_JWK), chain = STR("A");

	while (chain.len < 20 * 1024)
		chain = STR_JOIN(&task->arena, chain, chain);
	jwk = STR_JOIN(&task->arena, str_sub(jwk, 0, jwk.len - 1), STR(",\"x5c\":[\""), chain,
		       STR("\"]}"));
	jwk = STR_JOIN(&task->arena, STR("{\"keys\":["), jwk, STR("]}"));
	CHECK_ERR(jwk_set_check(task, jwk, &taken), ERR_SYNTAX);
	CHECK_ERR(take(task, jwk, &taken), OK);
	CHECK(taken.len < 1024);
}

static void a_published_set_with_a_secret_or_with_too_much_is_refused_whole(void **state)
{
	struct task *task = *state;
	struct str taken;

	CHECK_ERR(take(task, STR(SET(EC_JWK ",{\"kty\":\"oct\",\"k\":\"AAAA\"}")), &taken),
		  ERR_SYNTAX);
	CHECK_ERR(take(task, STR(SET(EC_JWK ",{\"kty\":\"EC\",\"d\":\"AAAA\"}")), &taken),
		  ERR_SYNTAX);
	CHECK_ERR(take(task, STR(SET(FOREIGN)), &taken), ERR_SYNTAX);
	CHECK_ERR(take(task, STR(SET("")), &taken), ERR_SYNTAX);
	CHECK_ERR(take(task, STR("[]"), &taken), ERR_SYNTAX);
	CHECK_ERR(take(task, set_of(task, EC_JWK, JWK_SET_KEYS), &taken), OK);
	CHECK_ERR(take(task, set_of(task, EC_JWK, JWK_SET_KEYS + 1), &taken), ERR_SYNTAX);
	CHECK_ERR(take(task, set_of(task, FOREIGN, JWK_SET_PUBLISHED_KEYS + 1), &taken),
		  ERR_SYNTAX);
	CHECK(taken.at == NULL && task->reason.len > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(of_a_published_set_only_what_verifies_is_taken),
		   CASE(certificates_beside_a_key_do_not_count),
		   CASE(a_published_set_with_a_secret_or_with_too_much_is_refused_whole));
}
