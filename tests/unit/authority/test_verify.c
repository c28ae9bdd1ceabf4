/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens that our own key signed and that still are none of ours: what nobody can send from outside
 * unless a key or another part of the house is lost. Each is a real token with one thing changed.
 */
#include "at_office.h"

#include "base/json.h"
#include "crypto/base64.h"

static struct token_answer real;

static int start(void **state)
{
	(void)office_start(state);
	real = office_tokens(&office, "agent", "mail.read");
	return 0;
}

/* The claims of the real token, to be changed and given to `sign`. */
static json_t *claims(void)
{
	struct task *task = world_task(&office.world);
	struct str rest = real.access_token, part, text;
	json_t *members = NULL;

	CHECK(str_next(&rest, '.', &part));
	CHECK(str_next(&rest, '.', &part));
	CHECK_ERR(base64url_decode(task, part, &text), OK);
	CHECK_ERR(json_parse(task, text, 4096, &members), OK);
	return members;
}

static struct str sign_as(json_t *members, const char *purpose, const char *typ)
{
	struct task *task = world_task(&office.world);
	char *text = json_dumps(members, JSON_COMPACT);
	struct str jwt = STR_NONE;

	CHECK_ERR(keys_sign_jwt(task, office.keys, str_from_c(purpose), str_from_c(typ),
				str_from_c(text), &jwt),
		  OK);
	free(text);
	json_decref(members);
	return jwt;
}

static struct str sign(json_t *members)
{
	return sign_as(members, "access", "at+jwt");
}

/* Both ways in: a resource that looks itself, and the one that asks. */
static enum err judge(struct str token)
{
	struct introspection question = {
		.token = token,
		.resource = config_find_resource_named(office.config, STR("mail")),
	};
	enum err err = office_access(&office, token);

	CHECK_ERR(token_introspect(world_task(&office.world), &office.authority, &question), OK);
	CHECK(question.active == (err == OK));
	return err;
}

/* The claim set to that JSON; NULL takes it out. */
static enum err judge_with(const char *claim, const char *json)
{
	json_t *members = claims();

	if (json == NULL)
		json_object_del(members, claim);
	else
		json_object_set_new(members, claim, json_loads(json, JSON_DECODE_ANY, NULL));
	return judge(sign(members));
}

static void a_real_token_signed_again_is_taken(void **state)
{
	(void)state;
	CHECK_ERR(judge(real.access_token), OK);
	CHECK_ERR(judge(sign(claims())), OK);
}

static void jw_003_what_is_no_access_token_is_refused(void **state)
{
	static const struct {
		const char *purpose, *typ;
	} bad[] = {
		{ "id", "JWT" },
		{ "id", "at+jwt" },
		{ "access", "JWT" },
		{ "access", "dpop+jwt" },
		{ "access", "logout+jwt" },
		{ "access", "jwt" },
		{ "access", "AT+JWT" },
		{ "access", "" },
		{ "access", "application/at+jwt" },
		{ "access", "oauth-id-jag+jwt" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ROW(judge(sign_as(claims(), bad[i].purpose, bad[i].typ)) == ERR_TOKEN,
			  "typ \"%s\" by the key for %s is taken\n", bad[i].typ, bad[i].purpose);
}

static void jw_004_another_issuer_is_refused(void **state)
{
	static const char *const bad[] = {
		NULL,
		"\"https://grantd.test/\"",
		"\"https://grantd.test:443\"",
		"\"http://grantd.test\"",
		"\"HTTPS://GRANTD.TEST\"",
		"\"https://grantd.test.example\"",
		"\"\"",
		"null",
		"7",
		"[\"https://grantd.test\"]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ROW(judge_with("iss", bad[i]) == ERR_TOKEN, "iss %s is taken\n",
			  bad[i] == NULL ? "absent" : bad[i]);
}

static void jw_006_times_that_are_none_are_refused(void **state)
{
	static const char *const names[] = { "exp", "iat", "nbf", "auth_time" };
	static const char *const bad[] = {
		"\"1795597500\"", "-1",	  "1e20", "1795597500.5", "9223372036854775807",
		"null",		  "true", "[]",	  "{}",		  "\"\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(bad); i++)
		CHECK_ROW(judge_with(names[i % 4], bad[i / 4]) == ERR_TOKEN, "%s %s is taken\n",
			  names[i % 4], bad[i / 4]);
	CHECK_ERR(judge_with("exp", NULL), ERR_TOKEN);
	CHECK_ERR(judge_with("iat", NULL), ERR_TOKEN);
	CHECK_ERR(judge_with("exp", "0"), ERR_TOKEN);
}

/* Ten seconds ahead are another clock's error, eleven are another time. */
static void jw_006_a_token_of_the_future_is_refused(void **state)
{
	static const char *const names[] = { "iat", "nbf" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		int64_t now = world_task(&office.world)->now / SECOND_MS;
		char text[32];

		(void)snprintf(text, sizeof(text), "%lld", (long long)now + 10);
		CHECK_ERR(judge_with(names[i], text), OK);
		(void)snprintf(text, sizeof(text), "%lld", (long long)now + 11);
		CHECK_ERR(judge_with(names[i], text), ERR_TOKEN);
	}
	CHECK_ERR(judge_with("exp", "1795597200"), ERR_TOKEN);
}

static void jw_008_only_one_spelling_of_a_token_is_taken(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct arena *arena = &office.world.home.task.arena;
	struct str last = str_from(real.access_token, real.access_token.len - 1);
	struct str but_last = str_sub(real.access_token, 0, real.access_token.len - 1);
	unsigned taken = 0;

	(void)state;
	/* 64 bytes of signature leave four bits of the last character over: 15 more spellings */
	for (size_t i = 0; i + 1 < sizeof(alphabet); i++) {
		struct str other = STR_JOIN(arena, but_last, (struct str){ &alphabet[i], 1 });

		if (judge(other) == OK) {
			CHECK(alphabet[i] == last.at[0]);
			taken++;
		}
	}
	CHECK(taken == 1);
}

static void jw_012_a_claim_left_out_is_a_denial(void **state)
{
	static const char *const names[] = { "client_id", "sub",       "aud",	  "jti",
					     "scope",	  "family_id", "grant_id" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		CHECK_ROW(judge_with(names[i], NULL) != OK, "without %s\n", names[i]);
		CHECK_ROW(judge_with(names[i], "null") != OK, "with %s null\n", names[i]);
		CHECK_ROW(judge_with(names[i], "[\"agent\"]") != OK, "with %s a list\n", names[i]);
	}
	CHECK_ERR(judge_with("client_id", NULL), ERR_TOKEN);
}

static void a_name_that_is_not_the_rows_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "client_id", "\"agent-2\"" },
		{ "client_id", "\"service\"" },
		{ "sub", "\"usr_aaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
		{ "aud", "\"https://grantd.test/r/other\"" },
		{ "aud", "\"https://grantd.test\"" },
		{ "aud", "[\"" OFFICE_RESOURCE "\"]" },
		{ "grant_id", "\"gra_aaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
		{ "family_id", "\"fam_aaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
		{ "scope", "\"mail.send\"" },
		{ "scope", "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ROW(judge_with(bad[i][0], bad[i][1]) == ERR_TOKEN, "%s %s is taken\n",
			  bad[i][0], bad[i][1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_real_token_signed_again_is_taken),
		TEST(jw_003_what_is_no_access_token_is_refused),
		TEST(jw_004_another_issuer_is_refused),
		TEST(jw_006_times_that_are_none_are_refused),
		TEST(jw_006_a_token_of_the_future_is_refused),
		TEST(jw_008_only_one_spelling_of_a_token_is_taken),
		TEST(jw_012_a_claim_left_out_is_a_denial),
		TEST(a_name_that_is_not_the_rows_is_refused),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
