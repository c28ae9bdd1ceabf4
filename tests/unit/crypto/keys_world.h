/* SPDX-License-Identifier: Apache-2.0 */
/* A key holder on a root file in a folder of its own, for the tests of crypto/keys. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "crypto/keys.h"

#define ISSUER STR("https://grantd.example")

struct keys_world {
	struct check_clock clock;
	struct task task;
	char folder[64];
	struct str root_file;
	struct keyring *keys;
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

static inline int world_end(void **state)
{
	static const char *const names[] = { "root.key", "root.key.new", "other.key" };
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

#define WORLD_CASE(name) cmocka_unit_test_setup_teardown(name, world_begin, world_end)
