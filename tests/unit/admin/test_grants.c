/* SPDX-License-Identifier: Apache-2.0 */
/* Grants, events and resources as operators see, stop and change them. */
#include "at_counter.h"

#include <string.h>
#include <unistd.h>

static const char *grant_path(const char *verb)
{
	struct grant grant = office_grant(&counter.office, "agent");

	return str_printf(&counter.office.world.home.task.arena, "/v1/grants/%.*s%s",
			  STR_FMT(grant.id), verb)
		.at;
}

static void a_grant_is_shown_with_who_what_and_until_when(void **state)
{
	const json_t *item;

	(void)state;
	(void)office_tokens(&counter.office, "agent", "mail.read");
	assert_int_equal(counter_ask(&counter, "GET", "/v1/grants?user=alice", NULL), 200);
	item = json_array_get(json_object_get(counter.answer, "grants"), 0);
	CHECK_STR(json_get_str(item, "user"), STR("alice"));
	CHECK_STR(json_get_str(item, "client_id"), STR("agent"));
	CHECK_STR(json_get_str(item, "resource"), STR(OFFICE_RESOURCE));
	CHECK_STR(json_get_str(item, "scope"), STR("mail.read"));
	CHECK_STR(json_get_str(item, "status"), STR("active"));
	CHECK(json_is_string(json_object_get(item, "expires_at")));
	assert_int_equal(counter_ask(&counter, "GET", grant_path(""), NULL), 200);
	CHECK(json_array_size(json_object_get(counter.answer, "permissions")) == 1);
}

static void an_operator_pauses_and_revokes_but_never_allows_or_widens(void **state)
{
	static const char *const never[] = { "/allow", "/approve", "/scope", "/duration" };
	struct token_answer tokens = office_tokens(&counter.office, "agent", "mail.read");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(never); i++)
		assert_int_equal(counter_ask(&counter, "POST", grant_path(never[i]), "{}"), 404);
	assert_int_equal(counter_ask(&counter, "PATCH", grant_path(""), "{}"), 405);
	assert_int_equal(counter_ask(&counter, "POST", "/v1/grants", "{}"), 405);
	assert_int_equal(counter_ask(&counter, "POST", grant_path("/pause"), NULL), 200);
	CHECK_STR(counter_text(&counter, "status"), STR("paused"));
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_PAUSED);
	assert_int_equal(counter_ask(&counter, "POST", grant_path("/revoke"), NULL), 200);
	CHECK_STR(counter_text(&counter, "status"), STR("revoked"));
	CHECK_STR(counter_text(&counter, "revoked_by"), STR("operator"));
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_TOKEN);
}

static void an_event_shows_its_personal_details_only_alone(void **state)
{
	const json_t *events, *sentences;
	struct str id;
	size_t found = 0;

	(void)state;
	(void)office_tokens(&counter.office, "agent", "mail.read");
	assert_int_equal(counter_ask(&counter, "GET", "/v1/events?user=alice&client=agent", NULL),
			 200);
	events = json_object_get(counter.answer, "events");
	id = STR("");
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *event = json_array_get(events, i);

		CHECK(json_object_get(event, "personal") == NULL);
		if (!str_equals(json_get_str(event, "kind"), STR("grant.allowed")))
			continue;
		found++;
		id = str_copy(&counter.office.world.home.task.arena, json_get_str(event, "id"));
	}
	CHECK(found == 1);
	id = STR_JOIN(&counter.office.world.home.task.arena, STR("/v1/events/"), id);
	assert_int_equal(counter_ask(&counter, "GET", id.at, NULL), 200);
	sentences = json_object_get(json_object_get(counter.answer, "personal"), "sentences");
	CHECK_STR(str_from_c(json_string_value(json_array_get(sentences, 0))),
		  STR("Read your mail"));
}

#define GOOD                                                                                       \
	"{\"name\":\"files\",\"uri\":\"https://grantd.test/r/files\",\"title\":\"Files\","         \
	"\"scopes\":[{\"name\":\"files.read\",\"title\":\"Read\",\"risk\":\"read\","               \
	"\"can\":[\"read files\"]}]}"

static bool has_file(const char *name)
{
	struct arena *arena = &counter.office.world.home.task.arena;
	struct str path = STR_JOIN(arena, counter.office.world.dir, STR("/resources/"),
				   str_from_c(name));

	return access(path.at, F_OK) == 0;
}

static void a_resource_is_added_taken_up_shown_and_removed(void **state)
{
	(void)state;
	assert_int_equal(counter_ask(&counter, "PUT", "/v1/resources/files", GOOD), 200);
	CHECK_STR(counter_text(&counter, "title"), STR("Files"));
	CHECK(counter.reloads == 1 && has_file("files.json"));
	assert_int_equal(counter_ask(&counter, "GET", "/v1/resources", NULL), 200);
	CHECK(json_array_size(json_object_get(counter.answer, "resources")) == 3);
	assert_int_equal(counter_ask(&counter, "GET", "/v1/resources/files", NULL), 200);
	CHECK_STR(counter_text(&counter, "uri"), STR("https://grantd.test/r/files"));
	assert_int_equal(counter_ask(&counter, "DELETE", "/v1/resources/files", NULL), 200);
	CHECK_STR(counter_text(&counter, "removed"), STR("files"));
	CHECK(!has_file("files.json"));
	assert_int_equal(counter_ask(&counter, "GET", "/v1/resources/files", NULL), 404);
}

static void a_resource_that_is_wrong_leaves_no_file_and_no_change(void **state)
{
	static const struct {
		const char *target, *body;
	} rows[] = {
		/* another name than the path's, and paths that would lead elsewhere */
		{ "/v1/resources/other-name", GOOD },
		{ "/v1/resources/..%2ffiles", GOOD },
		{ "/v1/resources/FILES", GOOD },
		{ "/v1/resources/files.json", GOOD },
		{ "/v1/resources/%2e%2e", GOOD },
		/* the same URI as mail's: refused when all are taken up together */
		{ "/v1/resources/files",
		  "{\"name\":\"files\",\"uri\":\"" OFFICE_RESOURCE "\",\"title\":\"Files\","
		  "\"scopes\":[{\"name\":\"files.read\",\"title\":\"Read\",\"risk\":\"read\","
		  "\"can\":[\"read files\"]}]}" },
		/* a secret of somebody else's */
		{ "/v1/resources/files",
		  "{\"name\":\"files\",\"uri\":\"https://grantd.test/r/files\",\"title\":\"F\","
		  "\"introspection\":[{\"id\":\"x\",\"secret_file\":\"/etc/passwd\"}],"
		  "\"scopes\":[{\"name\":\"files.read\",\"title\":\"Read\",\"risk\":\"read\","
		  "\"can\":[\"read files\"]}]}" },
		{ "/v1/resources/files",
		  "{\"name\":\"files\",\"uri\":\"https://grantd.test/r/files\",\"title\":\"F\","
		  "\"introspection\":[{\"id\":\"x\",\"secret_file\":\"../secret\"}],"
		  "\"scopes\":[{\"name\":\"files.read\",\"title\":\"Read\",\"risk\":\"read\","
		  "\"can\":[\"read files\"]}]}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		CHECK_ROW(counter_ask(&counter, "PUT", rows[i].target, rows[i].body) == 400,
			  "%s %s\n", rows[i].target, rows[i].body);
		CHECK(!has_file("files.json") && !has_file("other-name.json"));
	}
	assert_int_equal(counter_ask(&counter, "GET", "/v1/resources", NULL), 200);
	CHECK(json_array_size(json_object_get(counter.answer, "resources")) == 2);
}

static void a_resource_in_use_is_removed_only_with_force(void **state)
{
	struct token_answer tokens = office_tokens(&counter.office, "agent", "mail.read");

	(void)state;
	assert_int_equal(counter_ask(&counter, "DELETE", "/v1/resources/mail", NULL), 409);
	counter_refuses(&counter, "conflict", "still let agents use it");
	CHECK(has_file("mail.json"));
	CHECK_ERR(office_access(&counter.office, tokens.access_token), OK);
	assert_int_equal(counter_ask(&counter, "DELETE", "/v1/resources/mail?force=1", NULL), 200);
	CHECK(!has_file("mail.json"));
	CHECK_ERR(office_access(&counter.office, tokens.access_token), ERR_TOKEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, counter_start, counter_end)

int main(void)
{
	return RUN(TEST(a_grant_is_shown_with_who_what_and_until_when),
		   TEST(an_operator_pauses_and_revokes_but_never_allows_or_widens),
		   TEST(an_event_shows_its_personal_details_only_alone),
		   TEST(a_resource_is_added_taken_up_shown_and_removed),
		   TEST(a_resource_that_is_wrong_leaves_no_file_and_no_change),
		   TEST(a_resource_in_use_is_removed_only_with_force));
}
