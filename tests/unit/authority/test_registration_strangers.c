/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may bring about by registering, updating and deleting, and what is left of it. */
#include <semaphore.h>

#include "applicant.h"
#include "authority/events.h"
#include "crypto/client_key.h"
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

static struct client client_of(const struct registering *one)
{
	struct client client = { 0 };

	CHECK_ERR(client_find(now(), world_reader(&office.world), one->client_id, &client), OK);
	return client;
}

/*
 * What the update decides on was read before it: it ends when that is in the queue behind it. Where
 * both share a transaction and the update refuses, it runs again.
 */
static enum err take_client(struct task *task, struct db *db, const struct registering *one,
			    struct client *ret_client)
{
	while (sem_wait(&queued) != 0)
		continue;
	sem_post(&queued);
	return client_find(task, db, one->client_id, ret_client);
}

static enum err write_client(struct task *task, struct db *db, void *arg)
{
	return client_update(task, db, arg);
}

static enum err write_delegates(struct task *task, struct db *db, void *arg)
{
	static const struct str names[] = { STR_INIT("agent") };
	struct client client;

	TRY(take_client(task, db, arg, &client));
	client.delegates_to = (struct scope_set){ names, 1 };
	client.dpop_bound_at = task->now;
	return client_update(task, db, &client);
}

static enum err write_refresh_kept(struct task *task, struct db *db, void *arg)
{
	struct client client;

	TRY(take_client(task, db, arg, &client));
	client.refresh_kept_at = task->now;
	return client_update(task, db, &client);
}

static enum err write_secret(struct task *task, struct db *db, void *arg)
{
	struct client client;

	TRY(take_client(task, db, arg, &client));
	client.secret_hash = STR("the hash of another secret");
	return client_update(task, db, &client);
}

struct operators_write {
	write_fn *write;
	struct registering *one;
};

static enum err submit(struct task *task, void *arg)
{
	const struct operators_write *operators = arg;

	return store_submit(task, office.world.store, operators->write, operators->one,
			    office_finished);
}

static enum err change_behind(struct task *task, void *arg)
{
	enum err err = change_step(task, arg);

	sem_post(&queued);
	return err;
}

#define HERE "\"redirect_uris\":[\"http://127.0.0.1/callback\"]"

/* An update to that and what else the members say. */
static void say(struct registering *one, const char *members)
{
	one->body = STR_JOIN(&now()->arena, STR("{" HERE ",\"client_id\":\""), one->client_id,
			     STR("\","), str_from_c(members), STR("}"));
}

static enum err update_to(struct registering *one, const char *members)
{
	enum err err;

	say(one, members);
	err = world_run(&office.world.home, change_step, one);
	if (err == OK)
		one->token = one->access_token;
	return err;
}

/* The same, behind that write of the operator. */
static enum err update_behind(write_fn *write, struct registering *one, const char *members)
{
	struct operators_write operators = { write, one };
	struct world_task task;
	enum err err;

	say(one, members);
	sem_init(&queued, 0, 0);
	world_task_begin(&office.world, &task);
	CHECK_ERR(submit(&task.task, &operators), ERR_PARKED);
	err = world_run(&office.world.home, change_behind, one);
	world_task_end(&task);
	sem_destroy(&queued);
	return err;
}

static void an_update_takes_back_nothing_that_the_operator_changed_meanwhile(void **state)
{
	struct registering one = registered();
	struct client client;

	(void)state;
	CHECK_ERR(update_behind(write_delegates, &one, "\"client_name\":\"New\""), OK);
	client = client_of(&one);
	CHECK_STR(client.name, STR("New"));
	CHECK(client.delegates_to.count == 1 && client.dpop_bound_at != 0);
}

static enum err register_as(const char *members, struct registering *registering)
{
	*registering = (struct registering){
		.body = STR_JOIN(&now()->arena, STR("{" HERE ","), str_from_c(members), STR("}")),
		.source = STR("192.0.2.1"),
	};
	TRY(world_run(&office.world.home, open_step, registering));
	registering->client_id = registering->client.id;
	registering->token = registering->access_token;
	return OK;
}

static const char *by_value(void)
{
	struct client_key *key = NULL;
	struct str text;

	CHECK_ERR(client_key_new(now(), &key), OK);
	text = STR_JOIN(&office.world.home.task.arena,
			STR("\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks\":"
			    "{\"keys\":["),
			client_key_jwk(key), STR("]}"));
	client_key_free(&key);
	return str_to_c(&office.world.home.task.arena, text);
}

/* It proved a key when it was read, and the operator relies on that now. */
static void an_update_that_does_not_fit_the_operators_change_meanwhile_changes_nothing(void **state)
{
	struct registering one = { 0 };
	struct client client;

	(void)state;
	CHECK_ERR(register_as(by_value(), &one), OK);
	CHECK_ERR(
		update_behind(write_refresh_kept, &one, "\"token_endpoint_auth_method\":\"none\""),
		ERR_METADATA);
	client = client_of(&one);
	CHECK(client.auth == CLIENT_AUTH_PRIVATE_KEY && client.refresh_kept_at != 0);
	/* as it is refused when it comes later, and its token is still the one */
	CHECK_ERR(update_to(&one, "\"token_endpoint_auth_method\":\"none\""), ERR_METADATA);
	client.refresh_kept_at = 0;
	CHECK_ERR(world_write(&office.world, write_client, &client), OK);
	CHECK_ERR(update_to(&one, "\"token_endpoint_auth_method\":\"none\""), OK);
}

static void a_secret_that_the_operator_replaced_meanwhile_is_not_shown_as_the_clients(void **state)
{
	struct registering one = { 0 };
	const char *members;

	(void)state;
	CHECK_ERR(register_as("\"client_name\":\"Web\"", &one), OK);
	CHECK(one.secret.at != NULL);
	members = str_to_c(&now()->arena, STR_JOIN(&now()->arena, STR("\"client_secret\":\""),
						   one.secret, STR("\"")));
	CHECK_ERR(update_behind(write_secret, &one, members), OK);
	CHECK(one.secret.at == NULL);
	CHECK_STR(client_of(&one).secret_hash, STR("the hash of another secret"));
}

static void what_the_operator_set_an_update_does_not_change(void **state)
{
	struct registering one = registered();
	struct client client = client_of(&one);

	(void)state;
	client.dpop_set_at = client.par_set_at = office.world.clock.now;
	CHECK_ERR(world_write(&office.world, write_client, &client), OK);
	CHECK_ERR(update_to(&one, "\"dpop_bound_access_tokens\":true,"
				  "\"require_pushed_authorization_requests\":true"),
		  OK);
	client = client_of(&one);
	CHECK(client.dpop_bound_at == 0 && client.par_required_at == 0);
}

/* --- keys that are elsewhere, of who must push before a person is asked --- */

#define ELSEWHERE                                                                                  \
	"\"token_endpoint_auth_method\":\"private_key_jwt\","                                      \
	"\"jwks_uri\":\"https://keys.example/set\""
#define MUST_PUSH ",\"require_pushed_authorization_requests\":true"

static void who_must_push_first_has_its_keys_read_by_nobody_and_is_told_so(void **state)
{
	struct registering one = { 0 };

	(void)state;
	CHECK_ERR(register_as(ELSEWHERE MUST_PUSH, &one), ERR_METADATA);
	CHECK(str_ends_with(office.world.home.task.reason,
			    STR("require_pushed_authorization_requests")));
	CHECK(clients() == 0);
	CHECK_ERR(
		register_as(str_to_c(&now()->arena, STR_JOIN(&now()->arena, str_from_c(by_value()),
							     STR(MUST_PUSH))),
			    &one),
		OK);
	one = (struct registering){ 0 };
	CHECK_ERR(register_as(ELSEWHERE, &one), OK);
	CHECK_ERR(update_to(&one, ELSEWHERE MUST_PUSH), ERR_METADATA);
	/* the jobs read those of who is in use */
	office_tokens(&office, one.client_id.at, "mail.read");
	CHECK_ERR(update_to(&one, ELSEWHERE MUST_PUSH), OK);
	one = (struct registering){ 0 };
	configure("issuer = https://grantd.test\nrequire_pushed_requests = yes\n");
	CHECK_ERR(register_as(ELSEWHERE, &one), ERR_METADATA);
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
		TEST(an_update_that_does_not_fit_the_operators_change_meanwhile_changes_nothing),
		TEST(a_secret_that_the_operator_replaced_meanwhile_is_not_shown_as_the_clients),
		TEST(what_the_operator_set_an_update_does_not_change),
		TEST(who_must_push_first_has_its_keys_read_by_nobody_and_is_told_so),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
