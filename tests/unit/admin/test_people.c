/* SPDX-License-Identifier: Apache-2.0 */
/* People as operators make, show, stop and help them. */
#include "at_counter.h"

#include "authority/login.h"

static void a_person_is_created_shown_and_listed_and_no_answer_has_a_password(void **state)
{
	const json_t *list;

	(void)state;
	assert_int_equal(counter_ask(&counter, "POST", "/v1/users",
				     "{\"username\":\"Bob\",\"email\":\"bob@example.org\","
				     "\"password\":\"a long enough password\"}"),
			 201);
	CHECK_STR(counter_text(&counter, "username"), STR("bob"));
	CHECK(json_object_get(counter.answer, "password") == NULL);
	CHECK(office_events(&counter.office, "user.created") == 2);
	assert_int_equal(counter_ask(&counter, "GET", "/v1/users/BOB", NULL), 200);
	CHECK_STR(counter_text(&counter, "email"), STR("bob@example.org"));
	CHECK_STR(counter_text(&counter, "status"), STR("active"));
	CHECK(json_is_null(json_object_get(counter.answer, "disabled_at")));
	assert_int_equal(counter_ask(&counter, "GET", "/v1/users", NULL), 200);
	list = json_object_get(counter.answer, "users");
	CHECK(json_array_size(list) == 2);
	CHECK(json_object_get(json_array_get(list, 0), "email") == NULL);
	CHECK(json_is_null(json_object_get(counter.answer, "next")));
}

static void a_list_goes_on_behind_its_cursor(void **state)
{
	(void)state;
	assert_int_equal(counter_ask(&counter, "POST", "/v1/users", "{\"username\":\"bob\"}"), 201);
	assert_int_equal(counter_ask(&counter, "GET", "/v1/users?limit=1", NULL), 200);
	CHECK_STR(counter_text(&counter, "next"), STR("alice"));
	assert_int_equal(counter_ask(&counter, "GET", "/v1/users?limit=1&after=alice", NULL), 200);
	CHECK_STR(json_get_str(json_array_get(json_object_get(counter.answer, "users"), 0),
			       "username"),
		  STR("bob"));
	assert_int_equal(counter_ask(&counter, "GET", "/v1/users?limit=1&after=bob", NULL), 200);
	CHECK(json_array_size(json_object_get(counter.answer, "users")) == 0);
	CHECK(json_is_null(json_object_get(counter.answer, "next")));
}

static void a_person_that_is_wrong_is_refused_with_what_to_change(void **state)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *word, *says;
	} rows[] = {
		{ "{}", 400, "invalid_request", "username: is missing" },
		{ "{\"username\":1}", 400, "invalid_request", "username: must be" },
		{ "{\"username\":null}", 400, "invalid_request", "username: must be" },
		{ "{\"username\":\"\"}", 400, "invalid_request", "1 to 64" },
		{ "{\"username\":\"-x\"}", 400, "invalid_request", "must not start" },
		{ "{\"username\":\"a b\"}", 400, "invalid_request", "user name" },
		{ "{\"username\":\"../x\"}", 400, "invalid_request", "user name" },
		{ "{\"username\":\"bob\",\"email\":\"no address\"}", 400, "invalid_request",
		  "e-mail" },
		{ "{\"username\":\"bob\",\"email\":[\"b@example.org\"]}", 400, "invalid_request",
		  "email: must be" },
		{ "{\"username\":\"bob\",\"password\":\"short\"}", 400, "invalid_request",
		  "password" },
		{ "{\"username\":\"bob\",\"password\":true}", 400, "invalid_request",
		  "password: must be" },
		{ "{\"username\":\"alice\"}", 409, "conflict", "exists" },
		{ "{\"username\":\"ALICE\"}", 409, "conflict", "exists" },
	};
	size_t before = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CHECK_ROW(counter_ask(&counter, "POST", "/v1/users", rows[i].body) ==
				  rows[i].status,
			  "%s\n", rows[i].body);
		counter_refuses(&counter, rows[i].word, rows[i].says);
	}
	CHECK(counter_rows(&counter) == before);
}

static void a_disabled_persons_agents_are_refused_until_enabled(void **state)
{
	struct token_answer tokens = office_tokens(&counter.office, "agent", "mail.read");

	(void)state;
	assert_int_equal(counter_ask(&counter, "POST", "/v1/users/alice/disable", NULL), 200);
	CHECK_STR(counter_text(&counter, "status"), STR("disabled"));
	CHECK(json_is_string(json_object_get(counter.answer, "disabled_at")));
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_TOKEN);
	assert_int_equal(counter_ask(&counter, "POST", "/v1/users/alice/enable", NULL), 200);
	CHECK_STR(counter_text(&counter, "status"), STR("active"));
	CHECK(office_events(&counter.office, "user.disabled") == 1);
	CHECK(office_events(&counter.office, "user.enabled") == 1);
}

static void a_new_password_pauses_what_was_allowed_and_a_bad_one_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"password\":\"short\"}", "{\"password\":12345678901234}",
		"{\"password\":\"a long enough password\",\"username\":\"alice\"}"
	};
	struct token_answer tokens = office_tokens(&counter.office, "agent", "mail.read");
	size_t before = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ROW(counter_ask(&counter, "POST", "/v1/users/alice/password", bad[i]) == 400,
			  "%s\n", bad[i]);
	CHECK(counter_rows(&counter) == before);
	CHECK_ERR(office_access(&counter.office, tokens.access_token), OK);
	assert_int_equal(counter_ask(&counter, "POST", "/v1/users/alice/password",
				     "{\"password\":\"another long password\"}"),
			 200);
	CHECK(office_events(&counter.office, "password.reset") == 1);
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_PAUSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, counter_start, counter_end)

int main(void)
{
	return RUN(TEST(a_person_is_created_shown_and_listed_and_no_answer_has_a_password),
		   TEST(a_list_goes_on_behind_its_cursor),
		   TEST(a_person_that_is_wrong_is_refused_with_what_to_change),
		   TEST(a_disabled_persons_agents_are_refused_until_enabled),
		   TEST(a_new_password_pauses_what_was_allowed_and_a_bad_one_changes_nothing));
}
