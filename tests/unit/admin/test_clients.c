/* SPDX-License-Identifier: Apache-2.0 */
/* Clients as operators register, change and stop them. */
#include "at_counter.h"

#include "authority/client_auth.h"
#include "crypto/digest.h"
#include "store/clients.h"

#define NEW_SECRET "another-secret-of-at-least-32-characters"

static struct client stored(const char *id)
{
	struct client client = { 0 };

	CHECK_ERR(client_find(world_task(&counter.office.world),
			      world_reader(&counter.office.world), str_from_c(id), &client),
		  OK);
	return client;
}

static bool has_secret(const char *id, struct str secret)
{
	struct client client = stored(id);

	return str_equals(client.secret_hash,
			  sha256_str(&counter.office.world.home.task.arena, secret));
}

static void a_client_is_registered_with_what_was_said_and_sensible_rest(void **state)
{
	struct client client;

	(void)state;
	assert_int_equal(counter_ask(&counter, "POST", "/v1/clients",
				     "{\"client_id\":\"cli\",\"name\":\"CLI\",\"public\":true,"
				     "\"redirect_uris\":[\"http://127.0.0.1/callback\"],"
				     "\"resource\":\"mail\",\"scope\":\"mail.read\"}"),
			 201);
	CHECK(json_object_get(counter.answer, "client_secret") == NULL);
	CHECK_STR(counter_text(&counter, "auth"), STR("none"));
	client = stored("cli");
	CHECK(client.grant_types == (GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN));
	CHECK_STR(client.resource, STR(OFFICE_RESOURCE));
	assert_int_equal(counter_ask(&counter, "POST", "/v1/clients",
				     "{\"client_id\":\"bot\",\"name\":\"Bot\"}"),
			 201);
	CHECK(counter_text(&counter, "client_secret").len == 43);
	CHECK(has_secret("bot", counter_text(&counter, "client_secret")));
	CHECK(stored("bot").grant_types == GRANT_CLIENT_CREDENTIALS);
	assert_int_equal(counter_ask(&counter, "GET", "/v1/clients/bot", NULL), 200);
	CHECK(json_object_get(counter.answer, "client_secret") == NULL);
	CHECK(office_events(&counter.office, "client.created") == 5);
}

static void a_registration_that_is_wrong_is_refused_with_what_to_change(void **state)
{
	static const struct {
		const char *members; /* behind a good id and name */
		unsigned status;
		const char *word, *says;
	} rows[] = {
		{ "\"public\":\"yes\"", 400, "invalid_request", "public: must be" },
		{ "\"redirect_uris\":\"https://a.example/\"", 400, "invalid_request",
		  "redirect_uris: must be" },
		{ "\"redirect_uris\":[1]", 400, "invalid_request", "redirect_uris[0]" },
		{ "\"redirect_uris\":[\"https://*.example/cb\"]", 400, "invalid_request", "" },
		{ "\"redirect_uris\":[\"JavaScript:alert(1)\"]", 400, "invalid_request", "" },
		{ "\"redirect_uris\":[\"data:text/html,x\"]", 400, "invalid_request", "" },
		{ "\"redirect_uris\":[\"http://a.example/\"]", 400, "invalid_request", "" },
		{ "\"redirect_uris\":[\"https://a.example/#f\"]", 400, "invalid_request", "" },
		{ "\"redirect_uris\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
		  "\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"17\"]",
		  400, "invalid_request", "at most 16" },
		{ "\"grant_types\":[\"password\"]", 400, "invalid_request", "grant type" },
		{ "\"grant_types\":[\"refresh_token\"]", 400, "invalid_request",
		  "goes with authorization_code" },
		{ "\"grant_types\":[\"authorization_code\"]", 400, "invalid_request",
		  "at least one redirect URI" },
		{ "\"grant_types\":[\"client_credentials\"],\"public\":true", 400,
		  "invalid_request", "needs a secret" },
		{ "\"auth\":\"private_key_jwt\"", 400, "invalid_request", "needs public keys" },
		{ "\"auth\":\"tls_client_auth\"", 400, "invalid_request", "method is one of" },
		{ "\"auth\":\"none\"", 400, "invalid_request", "public client" },
		{ "\"client_secret\":\"short\"", 400, "invalid_request", "32 to 512" },
		{ "\"public\":true,\"client_secret\":\"" OFFICE_SECRET "\","
		  "\"redirect_uris\":[\"https://a.example/\"]",
		  400, "invalid_request", "no secret" },
		{ "\"scope\":\"mail.fly\"", 400, "invalid_scope", "mail.fly" },
		{ "\"resource\":\"nothing\"", 400, "invalid_target", "nothing" },
	};
	struct arena arena = { 0 };
	size_t before = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str body = STR_JOIN(&arena, STR("{\"client_id\":\"x\",\"name\":\"X\","),
					   str_from_c(rows[i].members), STR("}"));

		CHECK_ROW(counter_send(&counter, "POST", "/v1/clients", body) == rows[i].status,
			  "%s\n", rows[i].members);
		counter_refuses(&counter, rows[i].word, rows[i].says);
	}
	assert_int_equal(counter_ask(&counter, "POST", "/v1/clients",
				     "{\"client_id\":\"service\",\"name\":\"Taken\"}"),
			 409);
	assert_int_equal(counter_ask(&counter, "POST", "/v1/clients",
				     "{\"client_id\":\"usr_x\",\"name\":\"A person\"}"),
			 400);
	CHECK(counter_rows(&counter) == before);
	arena_free(&arena);
}

static void what_is_changed_is_changed_and_the_rest_stays(void **state)
{
	struct client before = stored("service"), after;

	(void)state;
	assert_int_equal(
		counter_ask(&counter, "PATCH", "/v1/clients/service", "{\"name\":\"Other name\"}"),
		200);
	CHECK_STR(counter_text(&counter, "name"), STR("Other name"));
	after = stored("service");
	CHECK_STR(after.secret_hash, before.secret_hash);
	CHECK_STR(after.resource, before.resource);
	CHECK(after.redirect_count == before.redirect_count && after.auth == before.auth);
	CHECK(after.grant_types == before.grant_types && after.scope.count == 0);
	assert_int_equal(
		counter_ask(&counter, "PATCH", "/v1/clients/service",
			    "{\"redirect_uris\":[\"https://a.example/1\",\"https://"
			    "a.example/2\"],\"scope\":\"mail.read\",\"resource\":\"other\","
			    "\"grant_types\":[\"authorization_code\"]}"),
		200);
	after = stored("service");
	CHECK(after.redirect_count == 2 && after.grant_types == GRANT_AUTHORIZATION_CODE);
	CHECK_STR(after.redirect_uris[1], STR("https://a.example/2"));
	CHECK_STR(after.resource, STR("https://grantd.test/r/other"));
	CHECK(after.scope.count == 1);
	CHECK_STR(after.name, STR("Other name"));
	assert_int_equal(counter_ask(&counter, "PATCH", "/v1/clients/service",
				     "{\"scope\":\"\",\"resource\":\"\"}"),
			 200);
	CHECK(stored("service").scope.count == 0 && stored("service").resource.len == 0);
	CHECK(office_events(&counter.office, "client.updated") == 3);
}

static void a_new_secret_takes_the_place_of_the_old_one_at_once(void **state)
{
	struct str made;

	(void)state;
	assert_int_equal(counter_ask(&counter, "PATCH", "/v1/clients/service",
				     "{\"client_secret\":\"" NEW_SECRET "\"}"),
			 200);
	CHECK(json_object_get(counter.answer, "client_secret") == NULL);
	CHECK(has_secret("service", STR(NEW_SECRET)));
	assert_int_equal(
		counter_ask(&counter, "PATCH", "/v1/clients/service", "{\"generate_secret\":true}"),
		200);
	made = counter_text(&counter, "client_secret");
	CHECK(made.len == 43 && has_secret("service", made));
}

static void a_change_that_is_wrong_or_none_is_refused_whole(void **state)
{
	static const struct {
		const char *id, *body;
		unsigned status;
		const char *word, *says;
	} rows[] = {
		{ "service", "{}", 400, "invalid_request", "nothing is to be changed" },
		{ "service", "{\"generate_secret\":false}", 400, "invalid_request", "nothing" },
		{ "service", "{\"name\":\"\"}", 400, "invalid_request", "name" },
		{ "service", "{\"name\":\"x\",\"client_id\":\"y\"}", 400, "invalid_request",
		  "client_id" },
		{ "service", "{\"name\":\"x\",\"auth\":\"none\"}", 400, "invalid_request", "auth" },
		{ "service", "{\"name\":\"x\",\"public\":true}", 400, "invalid_request", "public" },
		{ "service", "{\"redirect_uris\":[]}", 400, "invalid_request",
		  "redirect_uris: may not be empty" },
		{ "service", "{\"grant_types\":[]}", 400, "invalid_request",
		  "grant_types: may not be empty" },
		{ "service", "{\"name\":\"x\",\"redirect_uris\":[\"http://a.example/\"]}", 400,
		  "invalid_request", "" },
		{ "service", "{\"grant_types\":[\"refresh_token\"]}", 400, "invalid_request",
		  "goes with" },
		{ "service", "{\"name\":\"x\",\"scope\":\"mail.fly\"}", 400, "invalid_scope",
		  "mail.fly" },
		{ "service", "{\"name\":\"x\",\"resource\":\"nothing\"}", 400, "invalid_target",
		  "nothing" },
		{ "service", "{\"name\":\"x\",\"client_secret\":\"short\"}", 400, "invalid_request",
		  "32 to 512" },
		{ "service", "{\"client_secret\":\"" NEW_SECRET "\",\"generate_secret\":true}", 400,
		  "invalid_request", "not both" },
		{ "agent", "{\"name\":\"x\",\"generate_secret\":true}", 400, "invalid_request",
		  "public client" },
		{ "agent", "{\"grant_types\":[\"client_credentials\"]}", 400, "invalid_request",
		  "needs a secret" },
	};
	size_t before = counter_rows(&counter);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str target = str_printf(&counter.office.world.home.task.arena,
					       "/v1/clients/%s", rows[i].id);

		CHECK_ROW(counter_ask(&counter, "PATCH", target.at, rows[i].body) == rows[i].status,
			  "%s\n", rows[i].body);
		counter_refuses(&counter, rows[i].word, rows[i].says);
		CHECK_STR(stored(rows[i].id).name, STR("Mail agent"));
	}
	CHECK(has_secret("service", STR(OFFICE_SECRET)));
	CHECK(counter_rows(&counter) == before);
}

static void a_narrower_ceiling_counts_at_once(void **state)
{
	struct token_answer tokens = office_tokens(&counter.office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	assert_int_equal(
		counter_ask(&counter, "PATCH", "/v1/clients/agent", "{\"scope\":\"mail.send\"}"),
		200);
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_TOKEN);
	CHECK(office_refresh_with(&counter.office, tokens.refresh_token, &wish) != OK);
}

static void a_disabled_client_is_refused_until_enabled(void **state)
{
	struct token_answer tokens = office_tokens(&counter.office, "agent", "mail.read");

	(void)state;
	assert_int_equal(counter_ask(&counter, "POST", "/v1/clients/agent/disable", NULL), 200);
	CHECK_STR(counter_text(&counter, "status"), STR("disabled"));
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_TOKEN);
	assert_int_equal(counter_ask(&counter, "POST", "/v1/clients/agent/enable", NULL), 200);
	CHECK_STR(counter_text(&counter, "status"), STR("active"));
	CHECK(office_events(&counter.office, "client.disabled") == 1);
	CHECK(office_events(&counter.office, "client.enabled") == 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, counter_start, counter_end)

int main(void)
{
	return RUN(TEST(a_client_is_registered_with_what_was_said_and_sensible_rest),
		   TEST(a_registration_that_is_wrong_is_refused_with_what_to_change),
		   TEST(what_is_changed_is_changed_and_the_rest_stays),
		   TEST(a_new_secret_takes_the_place_of_the_old_one_at_once),
		   TEST(a_change_that_is_wrong_or_none_is_refused_whole),
		   TEST(a_narrower_ceiling_counts_at_once),
		   TEST(a_disabled_client_is_refused_until_enabled));
}
