/* SPDX-License-Identifier: Apache-2.0 */
/* Agents on devices without a browser: whose, which codes, and what is left of them. */
#include "at_office.h"

#include <string.h>

#include "authority/device.h"
#include "store/requests.h"

static struct client agent(const char *kind, unsigned grant_types)
{
	return (struct client){ .id = STR("agent"),
				.kind = str_from_c(kind),
				.grant_types = grant_types };
}

static void set_policy(const char *policy)
{
	struct task *task = world_task(&office.world);
	struct config_source source = { .dir = office.world.dir };
	const struct config *config = NULL;

	office_write(&office, "grantd.conf",
		     STR_JOIN(&task->arena, STR("issuer = https://grantd.test\ndevice_flow = "),
			      str_from_c(policy), STR("\n"))
			     .at);
	CHECK_ERR(config_load(task, &source, &config), OK);
	config_live_swap(office.live, config);
}

static void only_agents_that_the_operator_lets_may_ask_from_a_device(void **state)
{
	static const struct {
		const char *policy;
		const char *kind;
		unsigned types;
		bool may;
	} rows[] = {
		{ "off", "operator", GRANT_DEVICE_CODE, false },
		{ "off", "registered", GRANT_DEVICE_CODE, false },
		{ "on", "operator", GRANT_DEVICE_CODE, true },
		{ "on", "operator", GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN, false },
		{ "on", "registered", GRANT_DEVICE_CODE, false },
		{ "on", "document", GRANT_DEVICE_CODE, false },
		{ "open", "operator", GRANT_DEVICE_CODE, true },
		{ "open", "registered", GRANT_DEVICE_CODE, true },
		{ "open", "document", GRANT_DEVICE_CODE | GRANT_AUTHORIZATION_CODE, true },
		{ "open", "registered", GRANT_AUTHORIZATION_CODE, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct client client = agent(rows[i].kind, rows[i].types);

		set_policy(rows[i].policy);
		CHECK(device_is_for(&office.authority, &client) == rows[i].may);
	}
}

static void a_code_is_written_in_one_way_and_read_in_several(void **state)
{
	static const struct {
		const char *typed;
		const char *code; /* NULL: none */
	} rows[] = {
		{ "BCDF-GHJK", "BCDF-GHJK" },
		{ "bcdfghjk", "BCDF-GHJK" },
		{ " b c d f - G H J K ", "BCDF-GHJK" },
		{ "ZXWVTSRQ", "ZXWV-TSRQ" },
		{ "", NULL },
		{ "BCDF-GHJ", NULL },
		{ "BCDF-GHJKL", NULL },
		{ "BCDF-GHJA", NULL },
		{ "BCDF_GHJK", NULL },
		{ "BCDF-GHJ\xC3\x84", NULL },
		{ "BCDF-GHJ1", NULL },
	};
	struct arena *arena = &world_task(&office.world)->arena;
	char long_one[100];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str code = device_code_written(arena, str_from_c(rows[i].typed));

		CHECK((code.at == NULL) == (rows[i].code == NULL));
		if (code.at != NULL)
			CHECK_STR(code, str_from_c(rows[i].code));
	}
	memset(long_one, ' ', sizeof(long_one));
	memcpy(long_one, "BCDFGHJK", 8);
	CHECK(device_code_written(arena, (struct str){ long_one, sizeof(long_one) }).at == NULL);
}

static enum err ask_step(struct task *task, void *arg)
{
	return device_ask(task, &office.authority, arg, office_finished);
}

static struct device_wish ask(void)
{
	struct device_wish wish = { .client = agent("operator", GRANT_DEVICE_CODE),
				    .scope = STR("mail.read"),
				    .resource = STR(OFFICE_RESOURCE),
				    .resource_count = 1,
				    .source = STR("192.0.2.1") };

	CHECK_ERR(world_run(&office.world.home, ask_step, &wish), OK);
	return wish;
}

static void no_two_devices_have_the_same_code_and_each_code_is_its_requests(void **state)
{
	struct device_wish one, other;
	struct task *task;
	struct str code;

	(void)state;
	set_policy("on");
	task = world_task(&office.world);
	one = ask();
	other = ask();
	CHECK(!str_equals(one.user_code, other.user_code));
	CHECK_ERR(device_user_code(task, &office.authority, &one.request, &code), OK);
	CHECK_STR(code, one.user_code);
	one.request.user_code = other.request.user_code;
	CHECK_ERR(device_user_code(task, &office.authority, &one.request, &code), ERR_NOT_FOUND);
}

/* How many codes the client gets within a minute, up to `most`, each time from another network. */
static unsigned codes_of(struct client client, unsigned most, bool from_one_network)
{
	unsigned count;

	for (count = 0; count < most; count++) {
		struct task *task = world_task(&office.world);
		struct device_wish wish = { .client = client,
					    .scope = STR("mail.read"),
					    .resource = STR(OFFICE_RESOURCE),
					    .resource_count = 1 };
		enum err err;

		wish.source = str_printf(&task->arena, "198.51.%u.1",
					 from_one_network ? 0 : count % 250 + 1);
		err = world_run(&office.world.home, ask_step, &wish);
		if (err == ERR_THROTTLED) {
			CHECK(wish.retry_after > 0 && wish.retry_after <= 60);
			break;
		}
		CHECK_ERR(err, OK);
	}
	return count;
}

static struct client named(struct client client, const char *id)
{
	client.id = str_from_c(id);
	return client;
}

static void strangers_use_up_no_codes_of_who_authenticates(void **state)
{
	struct client confidential = agent("operator", GRANT_DEVICE_CODE), self;

	(void)state;
	set_policy("open");
	confidential.auth = CLIENT_AUTH_BASIC;
	/* in a public client's name: by client and network, by client, and in all */
	CHECK(codes_of(named(agent("operator", GRANT_DEVICE_CODE), "television"), 400, true) == 30);
	CHECK(codes_of(named(agent("operator", GRANT_DEVICE_CODE), "television"), 400, false) ==
	      270);
	CHECK(codes_of(named(agent("operator", GRANT_DEVICE_CODE), "radio"), 400, false) == 300);
	CHECK(codes_of(named(agent("operator", GRANT_DEVICE_CODE), "clock"), 400, false) == 300);
	/*
	 * one that registered itself is a stranger with a secret: a measure of its own, among all
	 */
	self = named(confidential, "self");
	self.kind = STR("registered");
	CHECK(codes_of(self, 400, false) == 300);
	CHECK(codes_of(named(self, "self-2"), 400, true) == 0);
	CHECK(codes_of(named(agent("operator", GRANT_DEVICE_CODE), "lamp"), 400, false) == 0);
	/* the operator's are as if nobody had asked, and share nothing with each other */
	CHECK(codes_of(named(confidential, "server"), 400, true) == 300);
	CHECK(codes_of(named(confidential, "server-2"), 400, true) == 300);
}

/* Once 40 clients at one address used up what all of a node's devices have together. */
static void one_network_has_120_codes_however_many_clients_it_names(void **state)
{
	struct client self = agent("registered", GRANT_DEVICE_CODE);
	unsigned count = 0;

	(void)state;
	set_policy("open");
	for (char id[] = "self-a"; id[5] <= 'd'; id[5]++)
		count += codes_of(named(self, id), 400, true);
	CHECK(count == 120);
	CHECK(codes_of(named(agent("operator", GRANT_DEVICE_CODE), "radio"), 10, true) == 0);
	self.auth = CLIENT_AUTH_BASIC;
	CHECK(codes_of(named(self, "self-e"), 10, true) == 0);
	CHECK(codes_of(named(self, "self-e"), 10, false) == 10);
	self.kind = STR("operator");
	CHECK(codes_of(named(self, "server"), 10, true) == 10);
}

static enum err insert(struct task *task, struct db *db, void *arg)
{
	return auth_request_insert(task, db, arg);
}

static enum err sweep(struct task *task, struct db *db, void *arg)
{
	return auth_request_sweep(task, db, task->now, 100, arg);
}

static void the_second_device_with_a_code_is_refused_and_rows_go_when_they_are_over(void **state)
{
	struct device_wish wish;
	struct auth_request twin;
	int64_t swept = 0;

	(void)state;
	set_policy("on");
	world_task(&office.world);
	wish = ask();
	twin = wish.request;
	twin.id = STR("req_aaaaaaaaaaaaaaaaaaaaaaaaaa");
	twin.code_hash = STR("another");
	CHECK_ERR(world_write(&office.world, insert, &twin), ERR_CONFLICT);
	office_wait(&office, 10 * MINUTE_MS + 1);
	CHECK_ERR(world_write(&office.world, sweep, &swept), OK);
	CHECK(swept == 0); /* who comes too late is told so */
	office_wait(&office, 10 * MINUTE_MS);
	CHECK_ERR(world_write(&office.world, sweep, &swept), OK);
	CHECK(swept == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(only_agents_that_the_operator_lets_may_ask_from_a_device),
		TEST(a_code_is_written_in_one_way_and_read_in_several),
		TEST(strangers_use_up_no_codes_of_who_authenticates),
		TEST(one_network_has_120_codes_however_many_clients_it_names),
		TEST(no_two_devices_have_the_same_code_and_each_code_is_its_requests),
		TEST(the_second_device_with_a_code_is_refused_and_rows_go_when_they_are_over),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
