/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that clients publish elsewhere: which are good, where they may be, when they are read. */
#include "authority/key_sets.h"

#include "at_office.h"
#include "authority/clients.h"
#include "authority/key_set_read.h"
#include "store/clients.h"

#define URI "https://keys.example/set"
#define SET "{\"keys\":[]}"

static struct task *now(void)
{
	return world_task(&office.world);
}

static const struct config *configured(const char *text)
{
	struct config_source source = { .dir = office.world.dir };
	const struct config *config = NULL;

	office_write(&office, "grantd.conf",
		     STR_JOIN(&now()->arena, STR("issuer = https://grantd.test\n"),
			      str_from_c(text), STR("\n"))
			     .at);
	CHECK_ERR(config_load(now(), &source, &config), OK);
	return config;
}

/* One of the operator's. */
static struct client crm(void)
{
	struct new_client wish = { .client = { .id = STR("crm"),
					       .name = STR("CRM"),
					       .auth = CLIENT_AUTH_PRIVATE_KEY,
					       .jwks_uri = STR(URI),
					       .grant_types = GRANT_CLIENT_CREDENTIALS } };
	struct client client = { 0 };
	struct str secret;

	CHECK_ERR(client_create(now(), &office.authority, &wish, &client, &secret), OK);
	return client;
}

static enum err write_set(struct task *task, struct db *db, void *arg)
{
	return key_set_put(task, db, arg);
}

static enum err load_read_at(const struct client *client, int64_t read_at)
{
	struct key_set_row row = { .client_id = client->id,
				   .uri = STR(URI),
				   .jwks = STR(SET),
				   .read_at = read_at,
				   .due_at = read_at + HOUR_MS };
	struct client loaded = *client;
	enum err err;

	CHECK_ERR(world_write(&office.world, write_set, &row), OK);
	err = key_set_load(now(), world_reader(&office.world), &loaded);
	CHECK((err == OK) == (loaded.jwks.at != NULL));
	return err;
}

static void a_set_of_a_clock_that_was_ahead_authenticates_nobody(void **state)
{
	struct client client = crm();
	struct key_set_row row = { 0 };
	int64_t present = office.world.clock.now;

	(void)state;
	CHECK_ERR(key_set_load(now(), world_reader(&office.world), &client), ERR_CLIENT);
	CHECK_ERR(load_read_at(&client, present), OK);
	/* two clocks are never the same */
	CHECK_ERR(load_read_at(&client, present + KEY_SET_SKEW_MS), OK);
	CHECK_ERR(load_read_at(&client, present + KEY_SET_SKEW_MS + 1), ERR_CLIENT);
	CHECK_ERR(key_set_find(now(), world_reader(&office.world), client.id, &row), OK);
	office_wait(&office, 1);
	CHECK_ERR(key_set_load(now(), world_reader(&office.world), &client), OK);
	office_wait(&office, DAY_MS + KEY_SET_SKEW_MS);
	CHECK_ERR(key_set_load(now(), world_reader(&office.world), &client), ERR_CLIENT);
}

struct
try {
	struct key_set_due due;
	int64_t due_at;
	bool is_ours;
};

static enum err write_try(struct task *task, struct db *db, void *arg)
{
	struct try *try = arg;

	return key_set_claim(task, db, &try->due, task->now, try->due_at, &try->is_ours);
}

static size_t due(struct key_set_due *ret_first)
{
	struct key_set_due *list = NULL;
	size_t count = 0;

	CHECK_ERR(key_set_list_due(now(), world_reader(&office.world), office.world.clock.now, 9,
				   &list, &count),
		  OK);
	if (count > 0)
		*ret_first = list[0];
	return count;
}

static void a_client_that_is_enabled_again_has_its_keys_read_at_once(void **state)
{
	struct client client = crm();
	struct try try = { .due_at = office.world.clock.now + HOUR_MS };
	struct key_set_due found;

	(void)state;
	CHECK_ERR(client_disable(now(), &office.authority, client.id), OK);
	CHECK(due(&try.due) == 1 && !try.due.is_needed);
	CHECK_ERR(world_write(&office.world, write_try, &try), OK);
	CHECK(try.is_ours && due(&found) == 0);
	office_wait(&office, SECOND_MS);
	CHECK_ERR(client_enable(now(), &office.authority, client.id), OK);
	CHECK(due(&found) == 1 && found.is_needed);
}

static void where_keys_may_be_read_the_operators_lists_say_but_of_what_is_the_operators(
	void **state)
{
	static const struct {
		const char *settings;
		const char *client_id;
		const char *uri;
		enum err of_others;
	} places[] = {
		{ "", "cli_a", URI, OK },
		{ "client_metadata = no", "cli_a", URI, OK },
		{ "client_metadata_deny = keys.example", "cli_a", URI, ERR_CLIENT },
		{ "client_metadata_allow = other.example", "cli_a", URI, ERR_CLIENT },
		{ "client_metadata_allow = keys.example", "cli_a", URI, OK },
		{ "", "https://agent.example/c", URI, OK },
		{ "client_metadata = no", "https://agent.example/c", URI, ERR_CLIENT },
		{ "client_metadata_deny = keys.example", "https://agent.example/c", URI,
		  ERR_CLIENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		const struct config *config = configured(places[i].settings);
		struct key_set_place place = { .client_id = str_from_c(places[i].client_id),
					       .uri = str_from_c(places[i].uri) };

		CHECK_ERR(key_set_check_place(now(), config, &place), places[i].of_others);
		place.is_operators = true;
		CHECK_ERR(key_set_check_place(now(), config, &place), OK);
		config_free(&config);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_set_of_a_clock_that_was_ahead_authenticates_nobody),
		TEST(a_client_that_is_enabled_again_has_its_keys_read_at_once),
		TEST(where_keys_may_be_read_the_operators_lists_say_but_of_what_is_the_operators),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
