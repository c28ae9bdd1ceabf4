/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for tests: a real store in a directory of its own (in memory where the system has
 * /dev/shm, so that an fsync costs nothing), a clock that stands where the test puts it, and a
 * task. Steps that park are run to their end on the calling thread, as a loop would.
 *
 *	struct world world;
 *
 *	world_open(&world);
 *	CHECK_ERR(world_write(&world, insert, &user), OK);
 *	CHECK_ERR(world_run(&world.home, step, &arg), OK);
 *	world_close(&world);
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "check.h"
#include "store/store.h"

#define WORLD_THREADS 8

/* A task whose home is whoever waits in world_run. */
struct world_task {
	struct task task; /* first: home is told the task only */
	pthread_mutex_t lock;
	pthread_cond_t came;
	bool is_home;
};

struct world {
	struct check_clock clock; /* clock.now is the time of tasks that begin */
	struct str dir;		  /* for files of the test; removed with all in it */
	struct str database;
	struct store *store;
	struct world_task home; /* a task that lives as long as the world */
	char dir_text[64];
};

/* A new SQLite store. */
void world_open(struct world *world);
/* A new store on a database of store_config's spelling that is empty and the test's own. */
void world_open_on(struct world *world, struct str database);
void world_close(struct world *world);
/* Closes the store and opens it again, as a restart would. */
void world_restart(struct world *world);
struct store_config world_config(struct world *world);

/* world->home.task, its noted failure forgotten, at the clock's time. */
struct task *world_task(struct world *world);
/* The read connection of that task. */
struct db *world_reader(struct world *world);
/* store_write with that task. */
enum err world_write(struct world *world, write_fn *fn, void *arg);
/* store_submit_relaxed with that task, to its end. */
enum err world_write_relaxed(struct world *world, write_fn *fn, void *arg);

/* Further tasks; ended by world_task_end. */
void world_task_begin(struct world *world, struct world_task *task);
void world_task_end(struct world_task *task);

/* A step as a handler would be; it may park. */
typedef enum err world_step_fn(struct task *task, void *arg);
/*
 * Runs the step and, while it parks, what follows, until it answers something else than ERR_PARKED.
 */
enum err world_run(struct world_task *task, world_step_fn *step, void *arg);
