/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that say when they will wait, and what they see and hold until then. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "crypto/random.h"
#include "nouns.h"
#include "store/events.h"
#include "store/marks.h"

#define BATCHES 60
#define EVENTS	40
#define DETAILS (16 * 1024)
#define WAL_MAX (24 * 1024 * 1024) /* begins anew at 16 MiB */

struct rounds {
	struct world world;
	struct world_task other; /* of a thread that is in no rounds */
	sqlite3 *stranger;	 /* an operator's shell */
};

static int begin(void **state)
{
	struct rounds *rounds = test_calloc(1, sizeof(*rounds));
	struct world *world = &rounds->world;
	struct store_config config;

	world_open(world);
	store_free(&world->store);
	config = world_config(world);
	config.in_rounds = 1;
	CHECK_ERR(store_open(world_task(world), &config, &world->store), OK);
	world_task_begin(world, &rounds->other);
	rounds->other.task.thread = 1;
	CHECK(sqlite3_open_v2(
		      str_printf(&world->home.task.arena, "%.*s/grantd.db", STR_FMT(world->dir)).at,
		      &rounds->stranger, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
	/* without a read it knows of no log */
	CHECK(sqlite3_exec(rounds->stranger, "SELECT count(*) FROM marks", NULL, NULL, NULL) ==
	      SQLITE_OK);
	*state = rounds;
	return 0;
}

static int end(void **state)
{
	struct rounds *rounds = *state;

	CHECK(sqlite3_close(rounds->stranger) == SQLITE_OK);
	world_task_end(&rounds->other);
	world_close(&rounds->world);
	test_free(rounds);
	return 0;
}

static enum err put(struct task *task, struct db *db, void *value)
{
	return mark_raise(task, db, STR("round"), *(const int64_t *)value);
}

static void write_value(struct rounds *rounds, int64_t value)
{
	CHECK_ERR(world_write(&rounds->world, put, &value), OK);
}

static int64_t value_in(struct rounds *rounds, struct task *task)
{
	struct db *db = NULL;
	int64_t value = -1;

	CHECK_ERR(store_reader(task, rounds->world.store, &db), OK);
	CHECK_ERR(mark_find(task, db, STR("round"), &value), OK);
	return value;
}

/* Moving the whole log waits for whoever looks at an older state. */
static bool somebody_looks(const struct rounds *rounds)
{
	return sqlite3_wal_checkpoint_v2(rounds->stranger, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
					 NULL) != SQLITE_OK;
}

static void what_is_committed_in_a_round_is_seen_at_once(void **state)
{
	struct rounds *rounds = *state;

	for (int64_t value = 1; value <= 20; value++) {
		write_value(rounds, value);
		CHECK(value_in(rounds, world_task(&rounds->world)) == value);
		CHECK(value_in(rounds, world_task(&rounds->world)) == value);
		if (value % 3 == 0)
			store_rest(rounds->world.store, 0);
	}
	CHECK(sqlite3_exec(rounds->stranger, "UPDATE marks SET value = 77 WHERE name = 'round'",
			   NULL, NULL, NULL) == SQLITE_OK);
	CHECK(value_in(rounds, world_task(&rounds->world)) == 77);
}

static void a_state_is_held_until_the_round_ends(void **state)
{
	struct rounds *rounds = *state;

	/* the first read of a connection may be alone */
	for (int64_t value = 1; value <= 2; value++) {
		write_value(rounds, value);
		CHECK(value_in(rounds, world_task(&rounds->world)) == value);
	}
	CHECK(somebody_looks(rounds));
	store_rest(rounds->world.store, 0);
	CHECK(!somebody_looks(rounds));
	store_rest(rounds->world.store, 0);
	CHECK(value_in(rounds, world_task(&rounds->world)) == 2);
}

static void who_does_not_say_when_it_waits_holds_nothing(void **state)
{
	struct rounds *rounds = *state;

	for (int64_t value = 1; value < 4; value++) {
		write_value(rounds, value);
		CHECK(value_in(rounds, &rounds->other.task) == value);
		CHECK(!somebody_looks(rounds));
	}
}

struct looking {
	struct rounds *rounds;
	atomic_bool is_over;
};

/* As a loop does under load: hardly a moment without a state that it looks at. */
static void *look_all_the_time(void *arg)
{
	struct looking *looking = arg;
	struct world_task own;

	world_task_begin(&looking->rounds->world, &own);
	while (!looking->is_over) {
		(void)value_in(looking->rounds, &own.task);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		store_rest(looking->rounds->world.store, own.task.thread);
	}
	world_task_end(&own);
	return NULL;
}

/* Half a megabyte of log and more. */
static enum err add_events(struct task *task, struct db *db, void *details)
{
	for (int i = 0; i < EVENTS; i++) {
		struct event event = { .id = random_id(&task->arena, "evt_"),
				       .at = CHECK_NOW,
				       .kind = STR("flood"),
				       .actor = STR("agent"),
				       .details = *(const struct str *)details };

		TRY(event_insert(task, db, &event));
	}
	return OK;
}

static void the_log_begins_anew_though_somebody_looks_all_the_time(void **state)
{
	struct rounds *rounds = *state;
	struct looking looking = { .rounds = rounds };
	char *bytes = test_calloc(1, DETAILS);
	struct str text = { bytes, DETAILS };
	struct stat stat_of = { 0 };
	pthread_t thread;

	memset(bytes, 'x', DETAILS);
	write_value(rounds, 1);
	CHECK(pthread_create(&thread, NULL, look_all_the_time, &looking) == 0);
	for (int i = 0; i < BATCHES; i++)
		CHECK_ERR(store_write(&rounds->other.task, rounds->world.store, add_events, &text),
			  OK);
	looking.is_over = true;
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(stat(str_printf(&rounds->other.task.arena, "%.*s/grantd.db-wal",
			      STR_FMT(rounds->world.dir))
			   .at,
		   &stat_of) == 0);
	CHECK(stat_of.st_size < WAL_MAX);
	test_free(bytes);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	return RUN(CASE(what_is_committed_in_a_round_is_seen_at_once),
		   CASE(a_state_is_held_until_the_round_ends),
		   CASE(who_does_not_say_when_it_waits_holds_nothing),
		   CASE(the_log_begins_anew_though_somebody_looks_all_the_time));
}
