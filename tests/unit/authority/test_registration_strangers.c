/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may bring about by registering, updating and deleting, and what is left of it. */
#include <semaphore.h>

#include "applicant.h"
#include "authority/events.h"
#include "store/clients.h"
#include "store/events.h"

static void an_update_counts_for_its_client_not_for_the_address(void **state)
{
	struct registering one = registered(), other = { 0 };

	(void)state;
	for (int i = 0; i < 60; i++)
		CHECK_ERR(update(&one), OK);
	CHECK_ERR(update(&one), ERR_THROTTLED);
	CHECK_ERR(register_from("192.0.2.1", &other), OK);
}

static void so_many_updates_of_all_together_keep_nobody_from_registering(void **state)
{
	struct registering list[11], other = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(list); i++)
		list[i] = registered();
	for (size_t i = 0; i < 600; i++)
		CHECK_ERR(update(&list[i % 10]), OK);
	CHECK_ERR(update(&list[10]), ERR_THROTTLED);
	CHECK_ERR(register_from("192.0.2.1", &other), OK);
}

static void a_deletion_counts_for_the_address_it_comes_from(void **state)
{
	struct registering one = registered(), other = { 0 };

	(void)state;
	for (int i = 0; i < 59; i++)
		CHECK_ERR(register_from("192.0.2.1", &other), OK);
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), ERR_THROTTLED);
	CHECK(one.retry_after > 0 && is_there(one.client_id));
	one.source = STR("198.51.100.1");
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), OK);
	CHECK(!is_let_in(one.client_id));
}

/* Who wants to end what people allowed it is not kept from it by what its neighbours do. */
static void one_that_is_used_ends_itself_whoever_registers_beside_it(void **state)
{
	struct registering one = registered(), other = { 0 };

	(void)state;
	office_tokens(&office, one.client_id.at, "mail.read");
	for (int i = 0; i < 59; i++)
		CHECK_ERR(register_from("192.0.2.1", &other), OK);
	CHECK_ERR(register_from("192.0.2.1", &other), ERR_THROTTLED);
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), OK);
	CHECK(!is_let_in(one.client_id));
}

static enum err disable(struct task *task, struct db *db, void *arg)
{
	const struct registering *one = arg;
	struct event event = event_new(task, STR("client.disabled"), STR("operator"));

	event.client_id = one->client_id;
	TRY(client_set_disabled(task, db, one->client_id, task->now, task->now));
	return event_insert(task, db, &event);
}

static void of_one_that_nobody_allowed_anything_no_events_are_left_but_the_operators(void **state)
{
	struct registering one = registered(), other = registered();

	(void)state;
	CHECK_ERR(update(&one), OK);
	CHECK_ERR(update(&one), OK);
	CHECK_ERR(world_write(&office.world, disable, &other), OK);
	now();
	CHECK_ERR(world_run(&office.world.home, delete_step, &one), OK);
	CHECK(office_events(&office, "client.updated") == 0);
	CHECK(office_events(&office, "client.deleted") == 0);
	office_wait(&office, HOUR_MS + SECOND_MS);
	expire();
	CHECK(!is_there(one.client_id) && is_there(other.client_id));
	CHECK(office_events(&office, "client.registered") == 1);
	office_wait(&office, 31 * DAY_MS);
	expire();
	CHECK(!is_there(other.client_id));
	CHECK(office_events(&office, "client.registered") == 0);
	CHECK(office_events(&office, "client.disabled") == 1);
}

static void an_update_of_one_that_somebody_allowed_something_is_an_event(void **state)
{
	struct registering one = registered();

	(void)state;
	office_tokens(&office, one.client_id.at, "mail.read");
	CHECK_ERR(update(&one), OK);
	CHECK(office_events(&office, "client.updated") == 1);
}

static void a_deleted_one_keeps_its_place_for_its_hour(void **state)
{
	struct registering other = { 0 };

	(void)state;
	configure("issuer = https://grantd.test\nregistrations_max = 2\n");
	for (int i = 0; i < 2; i++) {
		struct registering one = registered();

		now();
		CHECK_ERR(world_run(&office.world.home, delete_step, &one), OK);
		CHECK(!is_let_in(one.client_id));
		CHECK_ERR(world_run(&office.world.home, delete_step, &one), ERR_TOKEN);
	}
	expire();
	CHECK_ERR(register_from("192.0.2.3", &other), ERR_THROTTLED);
	CHECK(clients() == 2);
	office_wait(&office, HOUR_MS + SECOND_MS);
	expire();
	CHECK(clients() == 0);
	CHECK_ERR(register_from("192.0.2.3", &other), OK);
}

static enum err forget_step(struct task *task, void *id)
{
	return registration_forget(task, &office.authority, *(struct str *)id);
}

static void the_operator_removes_one_at_once_unless_somebody_allowed_it_something(void **state)
{
	struct registering one = registered(), used = registered();
	struct str operators = STR("agent"), nobody = STR("cli_aaaaaaaaaaaaaaaaaaaaaaaaaa");

	(void)state;
	office_tokens(&office, used.client_id.at, "mail.read");
	now();
	CHECK_ERR(world_run(&office.world.home, forget_step, &one.client_id), OK);
	CHECK(!is_there(one.client_id));
	CHECK_ERR(world_run(&office.world.home, forget_step, &one.client_id), ERR_NOT_FOUND);
	CHECK_ERR(world_run(&office.world.home, forget_step, &used.client_id), ERR_CONFLICT);
	CHECK(is_let_in(used.client_id));
	CHECK_ERR(world_run(&office.world.home, forget_step, &operators), ERR_CONFLICT);
	CHECK_ERR(world_run(&office.world.home, forget_step, &nobody), ERR_NOT_FOUND);
	CHECK(office_events(&office, "client.registered") == 1);
}

/* --- an update while the operator changes the client --- */

static sem_t queued;

/* Ends when the update is in the queue behind it, made of what it read before this. */
static enum err write_delegates(struct task *task, struct db *db, void *arg)
{
	const struct registering *one = arg;
	static const struct str names[] = { STR_INIT("agent") };
	struct client client;

	while (sem_wait(&queued) != 0)
		continue;
	TRY(client_find(task, db, one->client_id, &client));
	client.delegates_to = (struct scope_set){ names, 1 };
	client.dpop_bound_at = task->now;
	return client_update(task, db, &client);
}

static enum err submit_delegates(struct task *task, void *arg)
{
	return store_submit(task, office.world.store, write_delegates, arg, office_finished);
}

static enum err change_behind(struct task *task, void *arg)
{
	enum err err = change_step(task, arg);

	sem_post(&queued);
	return err;
}

static void an_update_takes_back_nothing_that_the_operator_changed_meanwhile(void **state)
{
	struct registering one = registered();
	struct world_task operators;
	struct client client;

	(void)state;
	sem_init(&queued, 0, 0);
	world_task_begin(&office.world, &operators);
	CHECK_ERR(submit_delegates(&operators.task, &one), ERR_PARKED);
	one.body = STR_JOIN(&now()->arena, STR("{\"client_id\":\""), one.client_id,
			    STR("\",\"client_name\":\"New\","
				"\"redirect_uris\":[\"https://app.example/cb\"]}"));
	CHECK_ERR(world_run(&office.world.home, change_behind, &one), OK);
	CHECK_ERR(client_find(now(), world_reader(&office.world), one.client_id, &client), OK);
	CHECK_STR(client.name, STR("New"));
	CHECK(client.delegates_to.count == 1 && client.dpop_bound_at != 0);
	world_task_end(&operators);
	sem_destroy(&queued);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_update_counts_for_its_client_not_for_the_address),
		TEST(so_many_updates_of_all_together_keep_nobody_from_registering),
		TEST(a_deletion_counts_for_the_address_it_comes_from),
		TEST(one_that_is_used_ends_itself_whoever_registers_beside_it),
		TEST(of_one_that_nobody_allowed_anything_no_events_are_left_but_the_operators),
		TEST(an_update_of_one_that_somebody_allowed_something_is_an_event),
		TEST(a_deleted_one_keeps_its_place_for_its_hour),
		TEST(the_operator_removes_one_at_once_unless_somebody_allowed_it_something),
		TEST(an_update_takes_back_nothing_that_the_operator_changed_meanwhile),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
