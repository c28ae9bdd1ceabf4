/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A keyring on a root file in a folder of its own, for the tests of crypto/keys. Each case runs
 * twice: with the keys in the keyring itself, and with a key holder behind channels, served by
 * threads here as by keyd in the daemon.
 */
#pragma once

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "crypto/key_service.h"

#define ISSUER STR("https://grantd.example")

#define CHANNELS 2

/* The far side. */
struct keys_keeper {
	struct key_service service;
	struct key_channel channels[CHANNELS];
	pthread_t threads[CHANNELS];
	size_t started;
	enum err ended[CHANNELS]; /* how key_service_run ended */
};

struct keys_world {
	struct check_clock clock;
	struct task task;
	char folder[64];
	struct str root_file;
	struct keyring *keys;
	struct keys_keeper keeper;
};

static inline struct str world_file(struct keys_world *world, const char *name)
{
	return str_printf(&world->task.arena, "%s/%s", world->folder, name);
}

static inline int world_begin(void **state)
{
	struct keys_world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	check_clock_start(&world->clock);
	task_begin(&world->task, &world->clock.clock, NULL);
	(void)snprintf(world->folder, sizeof(world->folder), "/tmp/grantd-keys-XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	world->root_file = world_file(world, "root.key");
	CHECK_ERR(keys_create_root(&world->task, world->root_file), OK);
	CHECK_ERR(keys_open(&world->task, world->root_file, ISSUER, &world->keys), OK);
	*state = world;
	return 0;
}

static inline void *keeper_serve(void *arg)
{
	struct keys_world *world = arg;
	size_t at = __atomic_fetch_add(&world->keeper.started, 1, __ATOMIC_SEQ_CST);

	world->keeper.ended[at] = key_service_run(&world->keeper.service,
						  &world->keeper.channels[at]);
	key_channel_close(&world->keeper.channels[at]);
	return NULL;
}

/* A pair of channels that lead to each other. */
static inline void keeper_connect(struct key_channel *near, struct key_channel *far)
{
	int there[2], back[2];

	assert_int_equal(pipe2(there, O_CLOEXEC), 0);
	assert_int_equal(pipe2(back, O_CLOEXEC), 0);
	*near = (struct key_channel){ .from = back[0], .to = there[1] };
	*far = (struct key_channel){ .from = there[0], .to = back[1] };
}

/* Starts what answers; its channels lead to near. */
static inline void keeper_start(struct keys_world *world, struct key_channel near[CHANNELS])
{
	for (size_t i = 0; i < CHANNELS; i++)
		keeper_connect(&near[i], &world->keeper.channels[i]);
	for (size_t i = 0; i < CHANNELS; i++)
		assert_int_equal(
			pthread_create(&world->keeper.threads[i], NULL, keeper_serve, world), 0);
}

/* Once the keyring is closed. */
static inline void keeper_join(struct keys_world *world)
{
	for (size_t i = 0; i < CHANNELS; i++)
		assert_int_equal(pthread_join(world->keeper.threads[i], NULL), 0);
	holder_free(&world->keeper.service.holder);
}

static inline int world_begin_far(void **state)
{
	struct key_channel near[CHANNELS];
	struct keys_world *world;

	(void)world_begin(state);
	world = *state;
	keys_free(&world->keys);
	CHECK_ERR(
		holder_open(&world->task, world->root_file, ISSUER, &world->keeper.service.holder),
		OK);
	keeper_start(world, near);
	CHECK_ERR(keys_connect(&world->task, near, CHANNELS, &world->keys), OK);
	return 0;
}

static inline int world_end(void **state)
{
	static const char *const names[] = { "root.key", "root.key.new", "other.key", "link.key" };
	struct keys_world *world = *state;

	keys_free(&world->keys);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)unlink(world_file(world, names[i]).at);
	assert_int_equal(rmdir(world->folder), 0);
	task_end(&world->task);
	free(world);
	return 0;
}

/* A file with these bytes and this mode. */
static inline void world_write(struct str path, struct str text, mode_t mode)
{
	int fd = open(path.at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.at, text.len), (ssize_t)text.len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/* Generates and loads one key of that purpose. */
static inline struct key_record world_load(struct keys_world *world, const char *purpose,
					   enum alg alg)
{
	struct key_record record = { 0 };

	CHECK_ERR(keys_generate(&world->task, world->keys, str_from_c(purpose), alg, &record), OK);
	CHECK_ERR(keys_load(&world->task, world->keys, &record, 1), OK);
	return record;
}

static inline int world_end_far(void **state)
{
	struct keys_world *world = *state;

	keys_free(&world->keys);
	keeper_join(world);
	for (size_t i = 0; i < CHANNELS; i++)
		CHECK_ERR(world->keeper.ended[i], OK);
	return world_end(state);
}

#define WORLD_CASE(name)                                                                           \
	cmocka_unit_test_setup_teardown(name, world_begin, world_end),                             \
	{                                                                                          \
#name "_by_message", name, world_begin_far, world_end_far, NULL                    \
	}
