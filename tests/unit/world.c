/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const parents[] = { "/dev/shm", "/tmp" };

static void make_dir(struct world *world)
{
	char *made = NULL;

	for (size_t i = 0; i < COUNT_OF(parents) && made == NULL; i++) {
		snprintf(world->dir_text, sizeof(world->dir_text), "%s/grantd-test-XXXXXX",
			 parents[i]);
		made = mkdtemp(world->dir_text);
	}
	CHECK(made != NULL);
	world->dir = str_from_c(world->dir_text);
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *place)
{
	(void)stat;
	(void)flag;
	(void)place;
	return remove(path);
}

static void come_home(struct task *task)
{
	struct world_task *home = (struct world_task *)task;

	pthread_mutex_lock(&home->lock);
	home->is_home = true;
	pthread_cond_signal(&home->came);
	pthread_mutex_unlock(&home->lock);
}

void world_task_begin(struct world *world, struct world_task *task)
{
	memset(task, 0, sizeof(*task));
	task_begin(&task->task, &world->clock.clock, NULL);
	task->task.home = come_home;
	pthread_mutex_init(&task->lock, NULL);
	pthread_cond_init(&task->came, NULL);
}

void world_task_end(struct world_task *task)
{
	task_end(&task->task);
	pthread_cond_destroy(&task->came);
	pthread_mutex_destroy(&task->lock);
}

static void wait_home(struct world_task *task)
{
	pthread_mutex_lock(&task->lock);
	while (!task->is_home)
		pthread_cond_wait(&task->came, &task->lock);
	task->is_home = false;
	pthread_mutex_unlock(&task->lock);
}

enum err world_run(struct world_task *task, world_step_fn *step, void *arg)
{
	enum err err = step(&task->task, arg);

	while (err == ERR_PARKED) {
		wait_home(task);
		err = task_go_on(&task->task);
	}
	return err;
}

struct store_config world_config(struct world *world)
{
	return (struct store_config){ .database = world->database,
				      .threads = WORLD_THREADS,
				      .clock = &world->clock.clock };
}

/* The reason is the first thing one wants to read when a world does not open. */
static void check_opened(struct world *world, enum err err)
{
	if (err != OK)
		print_error("%s: %.*s\n", err_name(err), STR_FMT(world->home.task.reason));
	CHECK_ERR(err, OK);
}

static void open_store(struct world *world)
{
	struct store_config config = world_config(world);
	int from = 0;
	int to = 0;

	check_opened(world, store_migrate(&world->home.task, &config, &from, &to));
	check_opened(world, store_open(&world->home.task, &config, &world->store));
}

static void begin(struct world *world)
{
	memset(world, 0, sizeof(*world));
	check_clock_start(&world->clock);
	make_dir(world);
	world_task_begin(world, &world->home);
}

void world_open(struct world *world)
{
	begin(world);
	world->database = STR_JOIN(&world->home.task.arena, STR("sqlite:"), world->dir,
				   STR("/grantd.db"));
	open_store(world);
}

void world_open_on(struct world *world, struct str database)
{
	begin(world);
	world->database = str_copy(&world->home.task.arena, database);
	open_store(world);
}

void world_close(struct world *world)
{
	store_free(&world->store);
	world_task_end(&world->home);
	nftw(world->dir_text, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void world_restart(struct world *world)
{
	struct store_config config = world_config(world);

	store_free(&world->store);
	check_opened(world, store_open(&world->home.task, &config, &world->store));
}

struct task *world_task(struct world *world)
{
	task_forgive(&world->home.task);
	world->home.task.now = clock_wall(&world->clock.clock);
	return &world->home.task;
}

struct db *world_reader(struct world *world)
{
	struct db *db = NULL;

	CHECK_ERR(store_reader(world_task(world), world->store, &db), OK);
	return db;
}

enum err world_write(struct world *world, write_fn *fn, void *arg)
{
	return store_write(world_task(world), world->store, fn, arg);
}

struct relaxed {
	struct world *world;
	write_fn *fn;
	void *arg;
};

static enum err answer_as_it_is(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

static enum err submit_relaxed(struct task *task, void *arg)
{
	const struct relaxed *relaxed = arg;

	return store_submit_relaxed(task, relaxed->world->store, relaxed->fn, relaxed->arg,
				    answer_as_it_is);
}

enum err world_write_relaxed(struct world *world, write_fn *fn, void *arg)
{
	struct relaxed relaxed = { world, fn, arg };

	world_task(world);
	return world_run(&world->home, submit_relaxed, &relaxed);
}
