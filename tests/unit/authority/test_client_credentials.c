/* SPDX-License-Identifier: Apache-2.0 */
/* A client as itself: what it gets, and what of it is on record. */
#include "at_office.h"

#include "store/sql.h"

static enum err ask_step(struct task *task, void *arg)
{
	return token_client_credentials(task, &office.authority, arg, office_finished);
}

static enum err ask(const char *client, struct str scope, struct str *ret_token)
{
	struct token_wish wish = office_wish(&office, client);
	enum err err;

	wish.scope = scope;
	world_task(&office.world);
	err = world_run(&office.world.home, ask_step, &wish);
	*ret_token = wish.answer.access_token;
	return err;
}

static size_t on_record(void)
{
	return office_events(&office, "token.issued_to_client");
}

static void each_ask_gives_a_token_and_each_minute_one_event(void **state)
{
	struct str first, second;

	(void)state;
	CHECK_ERR(ask("service", STR_NONE, &first), OK);
	CHECK(on_record() == 1);
	CHECK_ERR(ask("service", STR("mail.report"), &second), OK);
	CHECK(!str_equals(first, second));
	CHECK_ERR(office_access(&office, first), OK);
	CHECK_ERR(office_access(&office, second), OK);
	CHECK(on_record() == 1);
	office_wait(&office, 61 * SECOND_MS);
	CHECK_ERR(ask("service", STR_NONE, &first), OK);
	CHECK(on_record() == 2);
}

static void what_it_may_not_have_is_refused_and_leaves_no_event(void **state)
{
	struct str token;

	(void)state;
	CHECK_ERR(ask("service", STR("mail.read"), &token), ERR_SCOPE);
	CHECK_ERR(ask("service", STR("mail.report mail.send"), &token), ERR_SCOPE);
	CHECK_ERR(ask("agent", STR("mail.report"), &token), ERR_CLIENT_NOT_ALLOWED);
	CHECK(token.at == NULL);
	CHECK(on_record() == 0);
}

static STATEMENT HIDE_EVENTS = { "ALTER TABLE events RENAME TO hidden" };
static STATEMENT SHOW_EVENTS = { "ALTER TABLE hidden RENAME TO events" };

static enum err run_statement(struct task *task, struct db *db, void *arg)
{
	return sql_exec(task, db, arg, NO_ARGS, NULL);
}

static void without_its_event_on_record_no_token_leaves(void **state)
{
	struct str token;

	(void)state;
	CHECK_ERR(world_write(&office.world, run_statement, (void *)(uintptr_t)&HIDE_EVENTS), OK);
	CHECK_ERR(ask("service", STR_NONE, &token), ERR_STORE);
	CHECK(token.at == NULL);
	CHECK_ERR(ask("service", STR_NONE, &token), ERR_STORE);
	CHECK_ERR(world_write(&office.world, run_statement, (void *)(uintptr_t)&SHOW_EVENTS), OK);
	CHECK_ERR(ask("service", STR_NONE, &token), OK);
	CHECK(on_record() == 1);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)
	TEST(each_ask_gives_a_token_and_each_minute_one_event),
	TEST(what_it_may_not_have_is_refused_and_leaves_no_event),
	TEST(without_its_event_on_record_no_token_leaves),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
