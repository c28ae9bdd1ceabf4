/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/json.h"
#include "oauth/metadata.h"

#define TEXT_MAX (64 * 1024)

static const struct resource_scope openid_scopes[] = {
	{ .name = STR_INIT("openid") },
	{ .name = STR_INIT("email") },
};
static const struct resource_scope mail_scopes[] = {
	{ .name = STR_INIT("mail.read") },
	{ .name = STR_INIT("email") },
};
static const struct resource identity = { .scopes = openid_scopes, .scope_count = 2 };
static const struct resource mail = { .scopes = mail_scopes, .scope_count = 2 };
static const struct config config = {
	.issuer = STR_INIT("https://grantd.example"),
	.resources = &mail,
	.resource_count = 1,
};

struct world {
	struct check_clock clock;
	struct task task;
	json_t *document;
};

static void world_start(struct world *world)
{
	struct str text;
	struct buf buf;

	*world = (struct world){ 0 };
	check_clock_start(&world->clock);
	task_begin(&world->task, &world->clock.clock, NULL);
	buf = buf_in(&world->task.arena, TEXT_MAX);
	metadata_write(&buf, &config, &identity);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(json_parse(&world->task, text, TEXT_MAX, &world->document), OK);
}

static void world_end(struct world *world)
{
	json_unref(&world->document);
	task_end(&world->task);
}

static void check_list(struct world *world, const char *member, const char *expected)
{
	const json_t *list = json_object_get(world->document, member);
	struct str text = STR_NONE;

	CHECK(json_is_array(list));
	CHECK_ERR(json_print(&world->task, list, TEXT_MAX, &text), OK);
	CHECK_STR(text, str_from_c(expected));
}

static void issuer_and_endpoints_come_from_the_configuration(void **state)
{
	struct world world;

	(void)state;
	world_start(&world);
	CHECK_STR(json_get_str(world.document, "issuer"), STR("https://grantd.example"));
	CHECK_STR(json_get_str(world.document, "token_endpoint"),
		  STR("https://grantd.example/token"));
	CHECK_STR(json_get_str(world.document, "jwks_uri"),
		  STR("https://grantd.example/jwks.json"));
	world_end(&world);
}

static void what_clients_insist_on_is_there(void **state)
{
	struct world world;

	(void)state;
	world_start(&world);
	check_list(&world, "code_challenge_methods_supported", "[\"S256\"]");
	check_list(&world, "response_types_supported", "[\"code\"]");
	check_list(&world, "subject_types_supported", "[\"public\"]");
	check_list(&world, "id_token_signing_alg_values_supported", "[\"RS256\"]");
	CHECK(json_is_true(
		json_object_get(world.document, "authorization_response_iss_parameter_supported")));
	CHECK(json_is_false(json_object_get(world.document, "request_uri_parameter_supported")));
	world_end(&world);
}

static void each_scope_is_listed_once(void **state)
{
	struct world world;

	(void)state;
	world_start(&world);
	check_list(&world, "scopes_supported", "[\"openid\",\"email\",\"mail.read\"]");
	world_end(&world);
}

static void no_list_is_empty_and_no_endpoint_is_named_that_does_not_exist(void **state)
{
	static const char *const absent[] = {
		"registration_endpoint",
		"device_authorization_endpoint",
		"backchannel_authentication_endpoint",
		"end_session_endpoint",
		"require_pushed_authorization_requests",
		"authorization_details_types_supported",
	};
	struct world world;
	const char *key;
	json_t *value;

	(void)state;
	world_start(&world);
	json_object_foreach(world.document, key, value)
	{
		if (json_is_array(value))
			CHECK(json_array_size(value) > 0);
	}
	for (size_t i = 0; i < COUNT_OF(absent); i++)
		CHECK(json_object_get(world.document, absent[i]) == NULL);
	world_end(&world);
}

static void what_is_required_of_all_and_which_details_there_are_is_said(void **state)
{
	const struct resource_operation search = { .name = STR("search"), .title = STR("Search") };
	const struct resource_scope scope = { .name = STR("mail.read"),
					      .operations = &search,
					      .operation_count = 1 };
	const struct resource resource = { .scopes = &scope, .scope_count = 1 };
	struct config other = config;
	struct world world;
	struct buf buf;
	struct str text;

	(void)state;
	world_start(&world);
	CHECK_STR(json_get_str(world.document, "pushed_authorization_request_endpoint"),
		  STR("https://grantd.example/par"));
	json_unref(&world.document);
	other.resources = &resource;
	other.require_pushed_requests = true;
	buf = buf_in(&world.task.arena, TEXT_MAX);
	metadata_write(&buf, &other, &identity);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_ERR(json_parse(&world.task, text, TEXT_MAX, &world.document), OK);
	check_list(&world, "authorization_details_types_supported", "[\"operations\"]");
	CHECK(json_is_true(
		json_object_get(world.document, "require_pushed_authorization_requests")));
	world_end(&world);
}

static void the_text_is_written_once_per_configuration(void **state)
{
	struct metadata_cache *cache = metadata_cache_new();
	const struct config other = { .issuer = STR("https://other.example") };
	struct str first, second, third;
	struct world world;

	(void)state;
	world_start(&world);
	CHECK_ERR(metadata_text(&world.task, cache, &config, &identity, &first), OK);
	CHECK_ERR(metadata_text(&world.task, cache, &other, &identity, &third), OK);
	CHECK_ERR(metadata_text(&world.task, cache, &config, &identity, &second), OK);
	CHECK(first.at == second.at);
	CHECK(first.at != third.at);
	CHECK(str_starts_with(third, STR("{\"issuer\":\"https://other.example\"")));
	metadata_cache_free(&cache);
	CHECK(cache == NULL);
	world_end(&world);
}

int main(void)
{
	return RUN(cmocka_unit_test(issuer_and_endpoints_come_from_the_configuration),
		   cmocka_unit_test(what_clients_insist_on_is_there),
		   cmocka_unit_test(each_scope_is_listed_once),
		   cmocka_unit_test(what_is_required_of_all_and_which_details_there_are_is_said),
		   cmocka_unit_test(no_list_is_empty_and_no_endpoint_is_named_that_does_not_exist),
		   cmocka_unit_test(the_text_is_written_once_per_configuration));
}
