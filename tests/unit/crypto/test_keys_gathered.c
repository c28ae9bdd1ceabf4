/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of many tasks that go to the key holder together. */
#include <signal.h>

#include "keys_world.h"

#define MANY 20

static const struct seal_place place = { .table = STR_INIT("sessions"),
					 .row = STR_INIT("ses_1"),
					 .column = STR_INIT("agent") };

/* A task that asks for a token, and what became of it. */
struct asker {
	struct task task; /* first: as its home finds it */
	struct str sub;
	struct key_order order;
	struct key_issued issued;
	enum err result;
	bool is_home;
};

static void come_home(struct task *task)
{
	((struct asker *)task)->is_home = true;
	CHECK_ERR(task_go_on(task), ERR_CONFLICT);
}

static enum err went_on(struct task *task, enum err result, void *arg)
{
	struct asker *asker = arg;

	CHECK(&asker->task == task);
	asker->result = result;
	return ERR_CONFLICT; /* whatever it answers is its home's */
}

/* filler: so much longer are its claims. */
static enum err begin_to_ask(struct keys_world *world, struct keyring *keys, struct asker *asker,
			     int number, size_t filler)
{
	char *fill = arena_alloc(&world->task.arena, filler + 1);

	memset(fill, 'x', filler);
	*asker = (struct asker){ .result = ERR_PARKED };
	task_begin(&asker->task, &world->clock.clock, NULL);
	asker->task.home = come_home;
	asker->sub = str_printf(&asker->task.arena, "usr_%d", number);
	asker->order = (struct key_order){
		.purpose = STR("access"),
		.typ = STR("at+jwt"),
		.claims = STR_JOIN(&asker->task.arena, STR("{\"sub\":\""), asker->sub,
				   STR("\",\"filler\":\""), ((struct str){ fill, filler }),
				   STR("\"}")),
		.wants_tag = number % 2 == 0,
		.root_number = 1,
		.seed = STR("seed"),
		.input = asker->sub,
	};
	return keys_issue_with_others(&asker->task, keys, &asker->order, &asker->issued, went_on,
				      asker);
}

/* Its own answer, and nobody else's. */
static void check_own(struct keys_world *world, struct asker *asker)
{
	struct str purpose = STR_NONE;
	uint8_t tag[SHA256_LEN];
	json_t *claims = NULL;

	CHECK_ERR(keys_verify_jwt(&world->task, world->keys, asker->issued.jwt, STR("at+jwt"),
				  &claims, &purpose),
		  OK);
	CHECK_STR(str_from_c(json_string_value(json_object_get(claims, "sub"))), asker->sub);
	json_decref(claims);
	if (!asker->order.wants_tag)
		return;
	CHECK_ERR(keys_mac_refresh(&world->task, world->keys, 1, STR("seed"), asker->sub, tag), OK);
	assert_memory_equal(tag, asker->issued.tag, sizeof(tag));
}

static void end_askers(struct asker *askers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		task_end(&askers[i].task);
}

static void many_are_asked_at_once_and_each_gets_its_own_answer(void **state)
{
	struct keys_world *world = *state;
	struct asker askers[MANY];

	world_load(world, "access", ALG_ES256);
	CHECK(!keys_ask_gathered(world->keys, 0));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++)
			CHECK_ERR(begin_to_ask(world, world->keys, &askers[i], i, 0), ERR_PARKED);
		for (int i = 0; i < MANY; i++)
			CHECK(!askers[i].is_home);
		CHECK(keys_ask_gathered(world->keys, 0));
		for (int i = 0; i < MANY; i++) {
			CHECK(askers[i].is_home && askers[i].result == OK);
			check_own(world, &askers[i]);
		}
		end_askers(askers, MANY);
		CHECK(!keys_ask_gathered(world->keys, 0));
	}
}

static void a_refusal_among_many_is_one_task_s_alone(void **state)
{
	struct keys_world *world = *state;
	struct str sealed = STR_NONE;
	struct asker askers[3];

	CHECK(!keys_ask_gathered(world->keys, 0));
	CHECK_ERR(begin_to_ask(world, world->keys, &askers[0], 0, 0), ERR_PARKED);
	CHECK(keys_ask_gathered(world->keys, 0));
	CHECK(askers[0].result == ERR_CRYPTO); /* there is no key to sign with yet */
	CHECK_STR(askers[0].task.reason, STR("there is no signing key for access"));
	end_askers(askers, 1);
	world_load(world, "access", ALG_ES256);
	for (int i = 0; i < 3; i++)
		CHECK_ERR(begin_to_ask(world, world->keys, &askers[i], i, 0), ERR_PARKED);
	/* a question of the thread's own goes before them */
	CHECK_ERR(keys_seal(&world->task, world->keys, STR_NONE, &place, STR("x"), &sealed), OK);
	CHECK(keys_ask_gathered(world->keys, 0));
	for (int i = 0; i < 3; i++)
		check_own(world, &askers[i]);
	end_askers(askers, 3);
}

/* More than the pipe takes at once is asked in place, so that neither side waits for the other. */
static void what_does_not_fit_with_the_others_is_asked_alone(void **state)
{
	struct keys_world *world = *state;
	struct asker askers[MANY];
	int parked = 0;

	world_load(world, "access", ALG_ES256);
	CHECK(!keys_ask_gathered(world->keys, 0));
	for (int i = 0; i < MANY; i++) {
		enum err err = begin_to_ask(world, world->keys, &askers[i], i, 6000);

		CHECK(err == ERR_PARKED || err == OK);
		parked += err == ERR_PARKED;
	}
	CHECK(parked > 4 && parked < MANY);
	CHECK(keys_ask_gathered(world->keys, 0));
	for (int i = 0; i < MANY; i++) {
		CHECK(askers[i].is_home == (i < parked));
		check_own(world, &askers[i]);
	}
	end_askers(askers, MANY);
}

static void *ask_in_another_thread(void *arg)
{
	struct keys_world *world = arg;
	struct asker asker;

	CHECK_ERR(begin_to_ask(world, world->keys, &asker, 2, 0), OK);
	CHECK(!asker.is_home && asker.result == ERR_PARKED); /* `then` is not for it */
	check_own(world, &asker);
	task_end(&asker.task);
	return NULL;
}

static void nothing_is_gathered_for_a_thread_that_does_not_ask_it(void **state)
{
	struct keys_world *world = *state;
	pthread_t thread;

	world_load(world, "access", ALG_ES256);
	ask_in_another_thread(world); /* nor by this one, yet */
	CHECK(!keys_ask_gathered(world->keys, 0));
	assert_int_equal(pthread_create(&thread, NULL, ask_in_another_thread, world), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK(!keys_ask_gathered(world->keys, 0));
}

/* The far side ends after it has greeted, with what was asked unread. */
static void when_the_holder_is_gone_all_that_was_gathered_is_busy(void **state)
{
	struct keys_world *world = *state;
	struct key_channel near[CHANNELS];
	struct keyring *keys = NULL;
	struct asker askers[3];
	int cut;

	CHECK_ERR(
		holder_open(&world->task, world->root_file, ISSUER, &world->keeper.service.holder),
		OK);
	keeper_start(world, near);
	CHECK_ERR(keys_connect(&world->task, near, CHANNELS, &keys), OK);
	CHECK(!keys_ask_gathered(keys, 0));
	for (int i = 0; i < 3; i++)
		CHECK_ERR(begin_to_ask(world, keys, &askers[i], i, 0), ERR_PARKED);
	/* as if keyd were killed: nobody reads what we write from now on */
	cut = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(dup2(cut, near[0].to), near[0].to);
	assert_int_equal(close(cut), 0);
	CHECK(keys_ask_gathered(keys, 0));
	for (int i = 0; i < 3; i++) {
		CHECK(askers[i].is_home && askers[i].result == ERR_BUSY);
		CHECK_STR(askers[i].task.reason, STR("the key process is gone"));
		CHECK(askers[i].issued.jwt.at == NULL);
	}
	task_end(&askers[0].task);
	CHECK_ERR(begin_to_ask(world, keys, &askers[0], 0, 0), ERR_PARKED);
	CHECK(keys_ask_gathered(keys, 0)); /* nor does it wait the next time */
	CHECK(askers[0].is_home && askers[0].result == ERR_BUSY);
	end_askers(askers, 3);
	keys_free(&keys);
	keeper_join(world);
}

static int ignore_pipes(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as main.c does */
	return 0;
}

#define FAR_CASE(name) cmocka_unit_test_setup_teardown(name, world_begin_far, world_end_far)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAR_CASE(many_are_asked_at_once_and_each_gets_its_own_answer),
		FAR_CASE(a_refusal_among_many_is_one_task_s_alone),
		FAR_CASE(what_does_not_fit_with_the_others_is_asked_alone),
		FAR_CASE(nothing_is_gathered_for_a_thread_that_does_not_ask_it),
		cmocka_unit_test_setup_teardown(
			when_the_holder_is_gone_all_that_was_gathered_is_busy, world_begin,
			world_end),
	};

	return check_run(tests, COUNT_OF(tests), ignore_pipes, NULL);
}
