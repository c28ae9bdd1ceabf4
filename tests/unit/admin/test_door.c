/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every call of the admin API: who may ask, bodies, queries, names, methods. */
#include "at_counter.h"

#include <stdio.h>
#include <string.h>

#define STRANGER 54321

/* A path of that pattern, with something in place of what is in braces. */
static const char *path_like(const char *pattern, char path[128])
{
	const char *open = strchr(pattern, '{');

	if (open == NULL)
		return pattern;
	(void)snprintf(path, 128, "%.*smail%s", (int)(open - pattern), pattern,
		       strchr(open, '}') + 1);
	return path;
}

static void every_call_refuses_who_may_not_administer(void **state)
{
	static const gid_t others[] = { 0, STRANGER, COUNTER_GROUP + 1 };
	const struct peer strangers[] = {
		{ .is_unix = true, .uid = STRANGER, .gid = STRANGER },
		{ .is_unix = true, .uid = STRANGER, .gid = 0 },
		{ .is_unix = true,
		  .uid = STRANGER,
		  .gid = STRANGER,
		  .groups = others,
		  .group_count = COUNT_OF(others) },
		/* the API on a public listener would be a slip of ours: it answers nobody there */
		{ .address = STR("127.0.0.1"), .is_secure = true },
	};
	const struct door *door = admin_door(counter.admin);
	size_t rows = counter_rows(&counter);
	char path[128];

	(void)state;
	CHECK(door->route_count > 20);
	for (size_t k = 0; k < COUNT_OF(strangers); k++) {
		counter.peer = strangers[k];
		for (size_t i = 0; i < door->route_count; i++) {
			const struct route *route = &door->routes[i];
			bool has_body = (route->flags & ROUTE_JSON) != 0;

			assert_int_equal(counter_ask(&counter, route->method,
						     path_like(route->path, path),
						     has_body ? "{}" : NULL),
					 403);
			CHECK_STR(counter_text(&counter, "error"), STR("forbidden"));
		}
	}
	CHECK(counter_rows(&counter) == rows && counter.reloads == 0);
}

static void who_has_the_group_may_as_his_first_or_another(void **state)
{
	static const gid_t groups[] = { STRANGER, COUNTER_GROUP };
	const struct peer members[] = {
		{ .is_unix = true, .uid = STRANGER, .gid = COUNTER_GROUP },
		{ .is_unix = true,
		  .uid = STRANGER,
		  .gid = STRANGER,
		  .groups = groups,
		  .group_count = COUNT_OF(groups) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		counter.peer = members[i];
		assert_int_equal(counter_ask(&counter, "GET", "/v1/status", NULL), 200);
	}
}

static void root_and_our_own_user_may(void **state)
{
	(void)state;
	assert_int_equal(counter_ask(&counter, "GET", "/v1/status", NULL), 200);
	CHECK_STR(counter_text(&counter, "issuer"), STR("https://grantd.test"));
	CHECK_STR(knock_answer_field(counter.exchange, "Cache-Control"), STR("no-store"));
	counter.peer = (struct peer){ .is_unix = true, .uid = 0, .gid = STRANGER };
	assert_int_equal(counter_ask(&counter, "GET", "/v1/status", NULL), 200);
	assert_int_equal(counter_ask(&counter, "GET", "/v1/sandbox", NULL), 200);
	CHECK(json_integer_value(json_object_get(counter.answer, "landlock")) == 2);
}

static void an_unknown_path_and_another_method_are_refused(void **state)
{
	(void)state;
	assert_int_equal(counter_ask(&counter, "GET", "/v1/secrets", NULL), 404);
	assert_int_equal(counter_ask(&counter, "GET", "/", NULL), 404);
	assert_int_equal(counter_ask(&counter, "DELETE", "/v1/users/alice", NULL), 405);
	CHECK_STR(knock_answer_field(counter.exchange, "Allow"), STR("GET, HEAD"));
	assert_int_equal(counter_ask(&counter, "POST", "/v1/status", "{}"), 405);
}

/* Each is sent to each call that takes members. */
static const struct {
	struct str body;
	const char *says;
} bad_bodies[] = {
	{ STR_INIT(""), "" },
	{ STR_INIT("{"), "" },
	{ STR_INIT("not json"), "" },
	{ STR_INIT("{}{}"), "" },
	{ STR_INIT("null"), "" },
	{ STR_INIT("[]"), "object" },
	{ STR_INIT("\"text\""), "" },
	{ STR_INIT("[{\"name\":\"x\"}]"), "object" },
	{ STR_INIT("{\"name\":\"a\",\"name\":\"b\"}"), "" },
	{ STR_INIT("{\"na\\u006de\":\"a\",\"name\":\"b\"}"), "" },
	{ STR_INIT("{\"x\":{\"y\":1,\"y\":2}}"), "" },
	{ STR_INIT("{\"name\":\"\\ud800\"}"), "" },
	{ STR_INIT("{\"name\":\"a\\u0000b\"}"), "" },
	{ STR_INIT("{\"name\":\"\xff\"}"), "" },
	{ STR_INIT("{\"name\":\"a\",}"), "" },
	{ STR_INIT("{'name':'a'}"), "" },
	{ STR_INIT("{\"x\":1e400}"), "" },
	{ STR_INIT("{\"x\":00}"), "" },
	{ STR_INIT("{\"x\":1.}"), "" },
	{ STR_INIT("{\"x\":NaN}"), "" },
	{ STR_INIT("{\"x\":9223372036854775808}"), "" },
	{ STR_INIT("{\"shoe_size\":43}"), "shoe_size" },
};

static const struct {
	const char *method;
	const char *target;
} takers[] = {
	{ "POST", "/v1/users" },	 { "POST", "/v1/users/alice/password" },
	{ "POST", "/v1/clients" },	 { "PATCH", "/v1/clients/agent" },
	{ "PUT", "/v1/resources/mail" }, { "POST", "/v1/keys/rotate" },
};

static void a_body_that_is_no_object_of_known_members_is_refused_everywhere(void **state)
{
	size_t rows = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(takers); i++) {
		for (size_t k = 0; k < COUNT_OF(bad_bodies); k++) {
			struct str message;

			assert_int_equal(counter_send(&counter, takers[i].method, takers[i].target,
						      bad_bodies[k].body),
					 400);
			message = counter_text(&counter, "message");
			CHECK_ROW(memmem(message.at, message.len, bad_bodies[k].says,
					 strlen(bad_bodies[k].says)) != NULL,
				  "%.*s: %.*s\n", STR_FMT(bad_bodies[k].body), STR_FMT(message));
		}
	}
	CHECK(counter_rows(&counter) == rows && counter.reloads == 0);
}

/* Arrays in arrays, objects in objects: deeper than anything that means something. */
static void a_body_too_deep_or_too_large_is_refused(void **state)
{
	struct arena arena = { 0 };
	struct buf deep = buf_in(&arena, 1 << 20), large = buf_in(&arena, 1 << 20);
	size_t rows = counter_rows(&counter);
	struct str text;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add_c(&deep, i % 2 == 0 ? "{\"name\":" : "[");
	for (int i = 999; i >= 0; i--)
		buf_add_c(&deep, i % 2 == 0 ? "}" : "]");
	CHECK_ERR(buf_finish(&deep, &text), OK);
	for (size_t i = 0; i < COUNT_OF(takers); i++)
		assert_int_equal(counter_send(&counter, takers[i].method, takers[i].target, text),
				 400);
	buf_add_c(&large, "{\"name\":\"");
	for (int i = 0; i < HTTP_BODY_MAX; i++)
		buf_add_char(&large, 'x');
	buf_add_c(&large, "\"}");
	CHECK_ERR(buf_finish(&large, &text), OK);
	for (size_t i = 0; i < COUNT_OF(takers); i++)
		CHECK(counter_send(&counter, takers[i].method, takers[i].target, text) >= 400);
	CHECK(counter_rows(&counter) == rows && counter.reloads == 0);
	arena_free(&arena);
}

static void a_body_of_another_media_type_is_415(void **state)
{
	static const char *const types[] = { "text/plain", "application/x-www-form-urlencoded",
					     "application/json5", "" };
	size_t rows = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		counter.type = str_from_c(types[i]);
		for (size_t k = 0; k < COUNT_OF(takers); k++)
			assert_int_equal(counter_ask(&counter, takers[k].method, takers[k].target,
						     "{\"username\":\"bob\"}"),
					 415);
	}
	CHECK(counter_rows(&counter) == rows);
}

/* Letters of another case, the long s, full-width letters: none of them is the member meant. */
static void js_008_a_member_in_another_spelling_is_not_the_real_one(void **state)
{
	static const struct {
		const char *method, *target, *body, *member;
	} asked[] = {
		{ "POST", "/v1/users", "{\"Username\":\"bob\"}", "Username" },
		{ "POST", "/v1/users", "{\"\\u0075sername \":\"bob\"}", "username " },
		{ "POST", "/v1/users", "{\"username\":\"bob\",\"PASSWORD\":\"long enough 123\"}",
		  "PASSWORD" },
		{ "PATCH", "/v1/clients/agent", "{\"Redirect_Uris\":[\"https://a.example/\"]}",
		  "Redirect_Uris" },
		{ "PATCH", "/v1/clients/agent", "{\"\\u017fcope\":\"mail.send\"}", "\u017fcope" },
		{ "PATCH", "/v1/clients/agent", "{\"\\uff4eame\":\"x\"}", "\uff4eame" },
		{ "PATCH", "/v1/clients/agent", "{\"redirect-uris\":[\"https://a.example/\"]}",
		  "redirect-uris" },
		{ "POST", "/v1/clients",
		  "{\"client_id\":\"x\",\"name\":\"X\",\"Public\":true,"
		  "\"redirect_uris\":[\"https://a.example/\"]}",
		  "Public" },
	};
	size_t rows = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		assert_int_equal(
			counter_ask(&counter, asked[i].method, asked[i].target, asked[i].body),
			400);
		counter_refuses(&counter, "invalid_request", asked[i].member);
	}
	CHECK(counter_rows(&counter) == rows);
}

static void a_list_takes_its_own_parameters_once_each(void **state)
{
	static const char *const bad[] = {
		"/v1/users?limit=0",	     "/v1/users?limit=201",	  "/v1/users?limit=-1",
		"/v1/users?limit=1e2",	     "/v1/users?limit=1&limit=2", "/v1/users?user=alice",
		"/v1/users?Limit=1",	     "/v1/clients?%00=1",	  "/v1/grants?after=x",
		"/v1/grants?after=evt_",     "/v1/grants?client=agent",	  "/v1/events?after=gra_x",
		"/v1/events?grant=x",	     "/v1/events?force=1",	  "/v1/clients?after=%ff",
		"/v1/users?after=a&after=b",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK_ROW(counter_ask(&counter, "GET", bad[i], NULL) == 400, "%s is taken\n",
			  bad[i]);
		CHECK_STR(counter_text(&counter, "error"), STR("invalid_request"));
	}
	assert_int_equal(counter_ask(&counter, "GET", "/v1/users?limit=1&after=a", NULL), 200);
}

static void what_is_not_there_is_not_found_and_nothing_happens(void **state)
{
	static const struct {
		const char *method, *target, *body;
	} absent[] = {
		{ "GET", "/v1/users/bob", NULL },
		{ "GET", "/v1/users/%20", NULL },
		{ "GET", "/v1/users/..%2falice", NULL },
		{ "POST", "/v1/users/bob/disable", NULL },
		{ "POST", "/v1/users/bob/enable", NULL },
		{ "POST", "/v1/users/bob/password", "{\"password\":\"long enough 12345\"}" },
		{ "GET", "/v1/clients/nobody", NULL },
		{ "POST", "/v1/clients/nobody/disable", NULL },
		{ "POST", "/v1/clients/nobody/enable", NULL },
		{ "PATCH", "/v1/clients/nobody", "{\"name\":\"x\"}" },
		{ "PATCH", "/v1/clients/AGENT", "{\"name\":\"x\"}" },
		{ "GET", "/v1/grants/gra_aaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
		{ "GET", "/v1/grants/agent", NULL },
		{ "POST", "/v1/grants/gra_aaaaaaaaaaaaaaaaaaaaaaaaaa/pause", NULL },
		{ "POST", "/v1/grants/gra_aaaaaaaaaaaaaaaaaaaaaaaaaa/revoke", NULL },
		{ "GET", "/v1/events/evt_aaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
		{ "GET", "/v1/events/gra_aaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
		{ "GET", "/v1/resources/nothing", NULL },
		{ "DELETE", "/v1/resources/nothing", NULL },
		{ "GET", "/v1/grants?user=bob", NULL },
		{ "GET", "/v1/events?user=bob", NULL },
	};
	size_t rows = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(absent); i++) {
		unsigned status = counter_ask(&counter, absent[i].method, absent[i].target,
					      absent[i].body);

		CHECK_ROW(status == 404, "%s %s: %u\n", absent[i].method, absent[i].target, status);
		CHECK_STR(counter_text(&counter, "error"), STR("not_found"));
	}
	CHECK(counter_rows(&counter) == rows);
}

static void a_reload_takes_up_what_is_right_and_refuses_what_is_not(void **state)
{
	(void)state;
	assert_int_equal(counter_ask(&counter, "POST", "/v1/reload", NULL), 200);
	CHECK(counter.reloads == 1 && json_is_true(json_object_get(counter.answer, "reloaded")));
	office_write(&counter.office, "grantd.conf", "lops = 2\n");
	assert_int_equal(counter_ask(&counter, "POST", "/v1/reload", NULL), 400);
	counter_refuses(&counter, "invalid_configuration", "lops");
	assert_int_equal(counter_ask(&counter, "GET", "/v1/resources/mail", NULL), 200);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, counter_start, counter_end)

int main(void)
{
	return RUN(TEST(every_call_refuses_who_may_not_administer), TEST(root_and_our_own_user_may),
		   TEST(who_has_the_group_may_as_his_first_or_another),
		   TEST(an_unknown_path_and_another_method_are_refused),
		   TEST(a_body_that_is_no_object_of_known_members_is_refused_everywhere),
		   TEST(a_body_too_deep_or_too_large_is_refused),
		   TEST(a_body_of_another_media_type_is_415),
		   TEST(js_008_a_member_in_another_spelling_is_not_the_real_one),
		   TEST(a_list_takes_its_own_parameters_once_each),
		   TEST(what_is_not_there_is_not_found_and_nothing_happens),
		   TEST(a_reload_takes_up_what_is_right_and_refuses_what_is_not));
}
