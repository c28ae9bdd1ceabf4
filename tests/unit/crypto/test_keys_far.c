/* SPDX-License-Identifier: Apache-2.0 */
/* What is particular to a key holder in another process; that it does all the rest as well is shown
 * by the cases of test_keys_*.c, which run both ways. */
#include <signal.h>

#include "keys_world.h"

static const struct seal_place place = { .table = STR_INIT("sessions"),
					 .row = STR_INIT("ses_1"),
					 .column = STR_INIT("agent") };

static enum err seal_at(struct keys_world *world, const struct seal_place *at, struct str plain,
			struct str *ret_sealed)
{
	return keys_seal(&world->task, world->keys, STR_NONE, at, plain, ret_sealed);
}

/*
 * The rows of the database hold the signing keys sealed. Whoever may ask for values of other tables
 * to be opened must not get these by naming their table, nor have one of their own sealed for it.
 */
static void keys_are_neither_opened_nor_sealed_for_who_asks(void **state)
{
	struct keys_world *world = *state;
	struct key_record record = world_load(world, "access", ALG_ES256);
	const struct seal_place at = { .table = STR("keys"),
				       .row = record.id,
				       .column = STR("sealed ES256 access") };
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct seal_place person = place;
	struct str wrapped = STR_NONE, sealed = STR_NONE;

	CHECK_ERR(keys_unseal(&world->task, world->keys, STR_NONE, &at, record.sealed, &plain),
		  ERR_CRYPTO);
	CHECK(plain.at == NULL);
	CHECK_ERR(seal_at(world, &at, STR("a key of the thief's"), &sealed), ERR_CRYPTO);
	CHECK_ERR(keys_new_user_key(&world->task, world->keys, STR("usr_1"), &wrapped), OK);
	person.table = STR("user_keys");
	person.row = STR("usr_1");
	person.column = STR("wrapped");
	CHECK_ERR(keys_unseal(&world->task, world->keys, STR_NONE, &person, wrapped, &plain),
		  ERR_CRYPTO);
	person.user_id = STR("usr_1");
	CHECK_ERR(keys_unseal(&world->task, world->keys, STR_NONE, &person, wrapped, &plain),
		  ERR_CRYPTO);
	CHECK_ERR(keys_unseal(&world->task, world->keys, wrapped, &person, wrapped, &plain),
		  ERR_CRYPTO);
	CHECK(plain.at == NULL && sealed.at == NULL);
}

/* More than a pipe holds, both ways. */
static void a_large_value_is_sealed_and_opened(void **state)
{
	struct keys_world *world = *state;
	struct str large = { arena_alloc(&world->task.arena, 300000), 300000 }, sealed = STR_NONE;
	CLEANUP(secret_wipe) struct secret plain = { 0 };

	CHECK_ERR(seal_at(world, &place, large, &sealed), OK);
	CHECK_ERR(keys_unseal(&world->task, world->keys, STR_NONE, &place, sealed, &plain), OK);
	CHECK_STR(secret_reveal(&plain), large);
}

static void as_many_keys_as_are_allowed_are_loaded_and_one_more_is_refused(void **state)
{
	struct keys_world *world = *state;
	struct key_record *records = NEW_ARRAY(&world->task.arena, struct key_record,
					       KEY_RECORDS_MAX + 1);
	struct key_record record = world_load(world, "access", ALG_ES256);

	for (size_t i = 0; i <= KEY_RECORDS_MAX; i++)
		records[i] = record;
	CHECK_ERR(keys_load(&world->task, world->keys, records, KEY_RECORDS_MAX), OK);
	CHECK_ERR(keys_load(&world->task, world->keys, records, KEY_RECORDS_MAX + 1), ERR_CRYPTO);
}

/* A keyring to a keeper that has no key, and why. */
static void without_a_root_key_the_reason_comes_over(void **state)
{
	struct keys_world *world = *state;
	struct keyring *keys = NULL;
	struct key_channel near[CHANNELS];

	world->keeper.service.refusal = ERR_CONFIG;
	world->keeper.service.reason = STR("the root key is missing");
	keeper_start(world, near);
	CHECK_ERR(keys_connect(&world->task, near, CHANNELS, &keys), ERR_CONFIG);
	CHECK_STR(world->task.reason, STR("the root key is missing"));
	CHECK(keys == NULL);
	keeper_join(world);
}

static void a_holder_that_ends_makes_every_question_busy_and_none_wait(void **state)
{
	struct keys_world *world = *state;
	struct key_channel near, far;
	struct keyring *keys = NULL;

	keeper_connect(&near, &far);
	key_channel_close(&far);
	CHECK_ERR(keys_connect(&world->task, &near, 1, &keys), ERR_BUSY);
	CHECK(keys == NULL);
}

/* Answers while a keyring is being connected; the next question. */
static struct str answer_greetings(struct keys_world *world, struct task *task)
{
	struct key_channel *channel = &world->keeper.channels[0];
	struct str message = STR_NONE, frame = STR_NONE;
	struct key_inbox inbox = { 0 };

	for (int i = 0; i < 2; i++) {
		CHECK_ERR(key_channel_receive(task, channel, &inbox, &message), OK);
		CHECK_ERR(key_service_message(task, &world->keeper.service, message, &frame), OK);
		CHECK_ERR(key_channel_send(task, channel, frame), OK);
	}
	CHECK_ERR(key_channel_receive(task, channel, &inbox, &message), OK);
	return message;
}

static void *die_with_a_question(void *arg)
{
	struct keys_world *world = arg;
	struct task task;

	task_begin(&task, &world->clock.clock, NULL);
	(void)answer_greetings(world, &task);
	key_channel_close(&world->keeper.channels[0]);
	task_end(&task);
	return NULL;
}

/* Then it waits for the next question, as keyd does, which ends when there is none to come. */
static void *answer_with_no_frame(void *arg)
{
	struct keys_world *world = arg;
	struct key_inbox inbox = { 0 };
	struct str message = STR_NONE;
	struct task task;

	task_begin(&task, &world->clock.clock, NULL);
	(void)answer_greetings(world, &task);
	CHECK_ERR(
		key_channel_send(&task, &world->keeper.channels[0], (struct str){ "\0\0\0\0", 4 }),
		OK);
	CHECK_ERR(key_channel_receive(&task, &world->keeper.channels[0], &inbox, &message),
		  ERR_NOT_FOUND);
	key_channel_close(&world->keeper.channels[0]);
	task_end(&task);
	return NULL;
}

static enum err connect_to(struct keys_world *world, void *(*holder)(void *),
			   struct keyring **ret_keys, pthread_t *ret_thread)
{
	struct key_channel near;

	CHECK_ERR(
		holder_open(&world->task, world->root_file, ISSUER, &world->keeper.service.holder),
		OK);
	keeper_connect(&near, &world->keeper.channels[0]);
	assert_int_equal(pthread_create(ret_thread, NULL, holder, world), 0);
	return keys_connect(&world->task, &near, 1, ret_keys);
}

static void disconnect(struct keys_world *world, struct keyring **keys, pthread_t thread)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
	keys_free(keys);
	holder_free(&world->keeper.service.holder);
}

static void ask_while(struct keys_world *world, void *(*holder)(void *))
{
	struct str sealed = STR_NONE;
	struct keyring *keys = NULL;
	pthread_t thread;

	CHECK_ERR(connect_to(world, holder, &keys, &thread), OK);
	for (int i = 0; i < 2; i++)
		CHECK_ERR(keys_seal(&world->task, keys, STR_NONE, &place, STR("x"), &sealed),
			  ERR_BUSY);
	CHECK(keys_root_number(keys) == 1); /* what was asked before is still known */
	disconnect(world, &keys, thread);
}

static void a_question_under_way_when_the_holder_dies_is_busy(void **state)
{
	ask_while(*state, die_with_a_question);
}

static void a_channel_on_which_an_answer_is_lost_is_closed_so_that_keyd_ends(void **state)
{
	ask_while(*state, answer_with_no_frame);
}

/* A right answer, and a second one. */
static void *answer_twice(void *arg)
{
	struct keys_world *world = arg;
	struct key_channel *channel = &world->keeper.channels[0];
	struct key_inbox inbox = { 0 };
	struct str message = STR_NONE, frame = STR_NONE;
	struct task task;

	task_begin(&task, &world->clock.clock, NULL);
	message = answer_greetings(world, &task);
	CHECK_ERR(key_service_message(&task, &world->keeper.service, message, &frame), OK);
	CHECK_ERR(key_channel_send(&task, channel, STR_JOIN(&task.arena, frame, frame)), OK);
	CHECK_ERR(key_channel_receive(&task, channel, &inbox, &message), ERR_NOT_FOUND);
	key_channel_close(channel);
	task_end(&task);
	return NULL;
}

static void an_answer_that_nobody_asked_for_closes_the_channel(void **state)
{
	ask_while(*state, answer_twice);
}

/* A far end that writes down what it was asked. */
struct listener {
	struct keys_world *world;
	struct key_channel channel;
	pthread_t thread;
	size_t count;
	uint8_t asks[8];
};

static void *listen_and_answer(void *arg)
{
	struct listener *listener = arg;
	struct key_inbox inbox = { 0 };
	struct str message = STR_NONE, frame = STR_NONE;
	struct task task;

	task_begin(&task, &listener->world->clock.clock, NULL);
	while (key_channel_receive(&task, &listener->channel, &inbox, &message) == OK) {
		CHECK(listener->count < sizeof(listener->asks));
		listener->asks[listener->count++] = (uint8_t)message.at[0];
		CHECK_ERR(key_service_message(&task, &listener->world->keeper.service, message,
					      &frame),
			  OK);
		CHECK_ERR(key_channel_send(&task, &listener->channel, frame), OK);
	}
	key_channel_close(&listener->channel);
	task_end(&task);
	return NULL;
}

/* So that a start waits for one of them, and each still learns which thread to keep near. */
static void a_line_is_asked_who_answers_with_its_first_question_and_once(void **state)
{
	static const uint8_t first[] = { KEY_HELLO, KEY_HELLO },
			     second[] = { KEY_HELLO, KEY_SEAL, KEY_SEAL };
	struct keys_world *world = *state;
	struct listener listeners[CHANNELS] = { { world }, { world } };
	struct key_channel near[CHANNELS];
	struct keyring *keys = NULL;
	struct str sealed = STR_NONE;

	CHECK_ERR(
		holder_open(&world->task, world->root_file, ISSUER, &world->keeper.service.holder),
		OK);
	for (size_t i = 0; i < CHANNELS; i++) {
		keeper_connect(&near[i], &listeners[i].channel);
		assert_int_equal(pthread_create(&listeners[i].thread, NULL, listen_and_answer,
						&listeners[i]),
				 0);
	}
	CHECK_ERR(keys_connect(&world->task, near, CHANNELS, &keys), OK);
	world->task.thread = 1;
	for (int i = 0; i < 2; i++)
		CHECK_ERR(keys_seal(&world->task, keys, STR_NONE, &place, STR("x"), &sealed), OK);
	keys_free(&keys);
	for (size_t i = 0; i < CHANNELS; i++)
		assert_int_equal(pthread_join(listeners[i].thread, NULL), 0);
	holder_free(&world->keeper.service.holder);
	CHECK(listeners[0].count == sizeof(first) &&
	      memcmp(listeners[0].asks, first, sizeof(first)) == 0);
	CHECK(listeners[1].count == sizeof(second) &&
	      memcmp(listeners[1].asks, second, sizeof(second)) == 0);
}

static void send_bytes(struct keys_world *world, const struct key_channel *channel,
		       struct str bytes)
{
	assert_int_equal(write(channel->to, bytes.at, bytes.len), (ssize_t)bytes.len);
	(void)world;
}

/* Who sends such a thing is not our code any more: it gets no answer, and the channel ends. */
static void ft_013_malformed_frames_end_the_channel_without_an_answer(void **state)
{
	static const struct str bad[] = {
		STR_INIT("\0\0\0\0"),				 /* an empty frame */
		STR_INIT("\377\377\377\377"),			 /* 4 GiB */
		STR_INIT("\0\20\0\0"),				 /* 1 MiB and its length */
		STR_INIT("\0\0\0\1\377"),			 /* no such question */
		STR_INIT("\0\0\0\1\0"),				 /* cut before its time */
		STR_INIT("\0\0\0\12\0\0\0\0\0\0\0\0\0!"),	 /* a byte too many */
		STR_INIT("\0\0\0\11\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* and no frame */
	};
	struct keys_world *world = *state;

	world->keeper.service.refusal = ERR_CONFIG;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct key_channel near, far;
		char byte;

		keeper_connect(&near, &far);
		send_bytes(world, &near, bad[i]);
		CHECK_ERR(key_service_run(&world->keeper.service, &far), ERR_SYNTAX);
		key_channel_close(&far);
		CHECK_ROW(read(near.from, &byte, 1) == 0, "row %zu\n", i);
		key_channel_close(&near);
	}
}

static void an_asker_that_dies_within_a_frame_is_not_taken_for_one_that_closed(void **state)
{
	static const struct str cut[] = { STR_INIT("\0"), STR_INIT("\0\0\0\11"),
					  STR_INIT("\0\0\0\11\0\0\0") };
	struct keys_world *world = *state;

	for (size_t i = 0; i <= COUNT_OF(cut); i++) {
		struct key_channel near, far;

		keeper_connect(&near, &far);
		if (i < COUNT_OF(cut))
			send_bytes(world, &near, cut[i]);
		key_channel_close(&near);
		CHECK_ERR(key_service_run(&world->keeper.service, &far),
			  i < COUNT_OF(cut) ? ERR_IO : OK);
		key_channel_close(&far);
	}
}

static int ignore_pipes(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN); /* as main.c does */
	return 0;
}

#define FAR_CASE(name)	cmocka_unit_test_setup_teardown(name, world_begin_far, world_end_far)
#define NEAR_CASE(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_CASE(keys_are_neither_opened_nor_sealed_for_who_asks),
		FAR_CASE(a_large_value_is_sealed_and_opened),
		WORLD_CASE(as_many_keys_as_are_allowed_are_loaded_and_one_more_is_refused),
		NEAR_CASE(without_a_root_key_the_reason_comes_over),
		NEAR_CASE(a_holder_that_ends_makes_every_question_busy_and_none_wait),
		NEAR_CASE(a_question_under_way_when_the_holder_dies_is_busy),
		NEAR_CASE(a_channel_on_which_an_answer_is_lost_is_closed_so_that_keyd_ends),
		NEAR_CASE(an_answer_that_nobody_asked_for_closes_the_channel),
		NEAR_CASE(a_line_is_asked_who_answers_with_its_first_question_and_once),
		NEAR_CASE(ft_013_malformed_frames_end_the_channel_without_an_answer),
		NEAR_CASE(an_asker_that_dies_within_a_frame_is_not_taken_for_one_that_closed),
	};

	return check_run(tests, COUNT_OF(tests), ignore_pipes, NULL);
}
