/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that fills up, and the space that is held back for what stops something. The disk is
 * SQLite's own file system with one function replaced: the log may grow to a limit, and by what the
 * reserve has given up; the database may be told not to take any page.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate.h"
#include "nouns.h"
#include "store/driver.h"
#include "store/key_rows.h"
#include "store/sqlite_reserve.h"

#define RESERVE	     ((int64_t)1024 * 1024)
#define NO_LIMIT     (INT64_MAX - RESERVE)
#define LARGE	     (700 * 1024)  /* fits into what the reserve can give */
#define TOO_LARGE    (4096 * 1024) /* does not */
#define TOGETHER     6
#define ASK_AGAIN_US 1100000

static sqlite3_vfs small_vfs;
static sqlite3_io_methods small_methods;
static const sqlite3_vfs *true_vfs;
static const sqlite3_io_methods *true_methods;
static sqlite3_io_methods fixed_methods;
static int64_t limit;
static bool is_fixed;	 /* the database takes nothing */
static int fixed_writes; /* how often it was tried nevertheless */
static char reserve_file[128];

static int64_t given_up(void)
{
	struct stat stat_of = { 0 };

	return stat(reserve_file, &stat_of) == 0 ? RESERVE - stat_of.st_size : 0;
}

static int small_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	if (at + count > limit + given_up())
		return SQLITE_FULL;
	return true_methods->xWrite(file, bytes, count, at);
}

static int fixed_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	if (is_fixed) {
		fixed_writes++;
		return SQLITE_FULL;
	}
	return true_methods->xWrite(file, bytes, count, at);
}

static int open_small(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	int code = true_vfs->xOpen(vfs, name, file, flags, out);

	if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
		true_methods = file->pMethods;
		small_methods = *true_methods;
		small_methods.xWrite = small_write;
		file->pMethods = &small_methods;
	}
	if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
		true_methods = file->pMethods;
		fixed_methods = *true_methods;
		fixed_methods.xWrite = fixed_write;
		file->pMethods = &fixed_methods;
	}
	return code;
}

static void use_small_disk(void)
{
	if (true_vfs != NULL)
		return;
	true_vfs = sqlite3_vfs_find(NULL);
	small_vfs = *true_vfs;
	small_vfs.zName = "small";
	small_vfs.xOpen = open_small;
	sqlite3_vfs_register(&small_vfs, 1);
}

static void open_store(struct world *world)
{
	struct store_config config = world_config(world);

	store_free(&world->store);
	config.reserve = RESERVE;
	CHECK_ERR(store_open(world_task(world), &config, &world->store), OK);
}

static struct world *new_world(void)
{
	struct world *world = test_calloc(1, sizeof(*world));

	limit = NO_LIMIT;
	use_small_disk();
	world_open(world);
	snprintf(reserve_file, sizeof(reserve_file), "%.*s/grantd.db.reserve", STR_FMT(world->dir));
	open_store(world);
	return world;
}

static void end_world(struct world *world)
{
	limit = NO_LIMIT;
	is_fixed = false;
	world_close(world);
	test_free(world);
}

/* A write by a task of its own. */
struct job {
	struct world_task task;
	struct store *store;
	bool is_stop;
	size_t size;
	struct str name;
	enum err answer;
};

static enum err keep(struct task *task, struct db *db, void *arg)
{
	const struct job *job = arg;
	char *text = arena_alloc(&task->arena, job->size);

	memset(text, 'x', job->size);
	return fact_set(task, db, job->name, (struct str){ text, job->size });
}

static enum err kept(struct task *task, enum err result, void *arg)
{
	(void)task;
	((struct job *)arg)->answer = result;
	return result;
}

static enum err come_home(struct task *task, void *arg)
{
	(void)task;
	(void)arg;
	return ERR_PARKED;
}

static void submit(struct world *world, struct job *job, const char *name, bool is_stop)
{
	struct task *task = &job->task.task;
	enum err err;

	job->store = world->store;
	job->is_stop = is_stop;
	job->name = str_from_c(name);
	job->size = job->size == 0 ? 1 : job->size;
	world_task_begin(world, &job->task);
	err = is_stop ? store_submit_stop(task, world->store, keep, job, kept)
		      : store_submit(task, world->store, keep, job, kept);
	CHECK_ERR(err, ERR_PARKED);
}

static enum err outcome(struct job *job)
{
	enum err answer = world_run(&job->task, come_home, NULL);

	CHECK_ERR(answer, job->answer);
	world_task_end(&job->task);
	return answer;
}

static enum err write_one(struct world *world, const char *name, bool is_stop, size_t size)
{
	struct job job = { .size = size };

	submit(world, &job, name, is_stop);
	return outcome(&job);
}

static bool is_kept(struct world *world, const char *name)
{
	struct str value = STR_NONE;

	return fact_find(world_task(world), world_reader(world), str_from_c(name), &value) == OK;
}

static const char *const names[TOGETHER] = { "f0", "f1", "f2", "f3", "f4", "f5" };

static bool is_stop(int i)
{
	return i % 2 == 1;
}

/* In one transaction: behind a gate, which is a write too, but writes nothing. */
static void write_together(struct world *world, struct job *jobs)
{
	struct gate gate = GATE_INIT;
	struct job first = { .store = world->store };

	world_task_begin(world, &first.task);
	CHECK_ERR(store_submit_stop(&first.task.task, world->store, gate_stand, &gate, kept),
		  ERR_PARKED);
	first.task.task.arg = &first;
	gate_wait(&gate);
	for (int i = 0; i < TOGETHER; i++) {
		jobs[i].size = LARGE / TOGETHER;
		submit(world, &jobs[i], names[i], is_stop(i));
	}
	gate_open(&gate);
	CHECK_ERR(outcome(&first), OK);
}

static void the_reserve_is_allocated_and_nobody_elses(void **state)
{
	struct world *world = new_world();
	struct stat stat_of = { 0 };
	struct str database = STR_JOIN(&world->home.task.arena, world->dir, STR("/grantd.db"));

	(void)state;
	CHECK(stat(reserve_file, &stat_of) == 0);
	CHECK(stat_of.st_size == RESERVE && (stat_of.st_mode & 0777) == 0600);
	CHECK((int64_t)stat_of.st_blocks * 512 >= RESERVE);
	CHECK_ERR(sqlite_reserve_check(world_task(world), database, RESERVE), OK);
	CHECK_ERR(sqlite_reserve_check(world_task(world), database, 2 * RESERVE), ERR_CONFIG);
	/* a length is no space */
	CHECK(truncate(reserve_file, 0) == 0 && truncate(reserve_file, RESERVE) == 0);
	CHECK_ERR(sqlite_reserve_check(world_task(world), database, RESERVE), ERR_CONFIG);
	open_store(world);
	CHECK_ERR(sqlite_reserve_check(world_task(world), database, RESERVE), OK);
	CHECK(unlink(reserve_file) == 0);
	CHECK_ERR(sqlite_reserve_check(world_task(world), database, RESERVE), ERR_CONFIG);
	CHECK(access(reserve_file, F_OK) != 0);
	end_world(world);
}

static void a_reserve_that_cannot_be_had_is_told_at_start(void **state)
{
	struct world *world = new_world();
	struct store_config config = world_config(world);

	(void)state;
	config.reserve = RESERVE;
	store_free(&world->store);
	CHECK(unlink(reserve_file) == 0 && symlink("/dev/null", reserve_file) == 0);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), ERR_CONFIG);
	CHECK(unlink(reserve_file) == 0 && mkdir(reserve_file, 0700) == 0);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), ERR_CONFIG);
	CHECK_ERR(store_check_reserve(world_task(world), config.database), ERR_CONFIG);
	end_world(world);
}

static enum err write_nothing(struct task *task, struct db *db, void *arg)
{
	(void)task;
	(void)db;
	(void)arg;
	return OK;
}

/* What can be read is open by then; what is handed in to be written fails, and nobody waits. */
static void who_settles_later_is_told_later(void **state)
{
	struct world *world = new_world();
	struct store_config config = world_config(world);
	struct db *db = NULL;

	(void)state;
	config.reserve = RESERVE;
	config.settles_later = true;
	store_free(&world->store);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), OK);
	CHECK_ERR(store_ping(world_task(world), world->store), ERR_STORE);
	CHECK_ERR(store_write(world_task(world), world->store, write_nothing, NULL), OK);
	CHECK_ERR(store_ping(world_task(world), world->store), OK);
	CHECK_ERR(store_settle(world_task(world), world->store), OK);
	store_free(&world->store);
	CHECK(unlink(reserve_file) == 0 && mkdir(reserve_file, 0700) == 0);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), OK);
	CHECK_ERR(store_reader(world_task(world), world->store, &db), OK);
	CHECK_ERR(store_write(world_task(world), world->store, write_nothing, NULL), ERR_STORE);
	for (int i = 0; i < 2; i++) {
		struct task *task = world_task(world);

		CHECK_ERR(store_settle(task, world->store), ERR_CONFIG);
		CHECK(memmem(task->reason.at, task->reason.len, ".reserve", 8) != NULL);
		CHECK_ERR(store_ping(world_task(world), world->store), ERR_STORE);
	}
	/* and whoever never settles has started nothing */
	store_free(&world->store);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), OK);
	end_world(world);
}

static void on_a_full_disk_stops_are_kept_and_others_refused(void **state)
{
	struct world *world = new_world();
	struct job jobs[TOGETHER] = { 0 };

	(void)state;
	CHECK_ERR(store_ping(world_task(world), world->store), OK);
	limit = 0;
	write_together(world, jobs);
	for (int i = 0; i < TOGETHER; i++) {
		CHECK_ERR(outcome(&jobs[i]), is_stop(i) ? OK : ERR_FULL);
		CHECK(is_kept(world, names[i]) == is_stop(i));
	}
	CHECK(given_up() > 0 && given_up() < RESERVE);
	CHECK_ERR(store_ping(world_task(world), world->store), ERR_FULL);
	CHECK_ERR(write_one(world, "wish", false, 1), ERR_FULL);
	CHECK_ERR(write_one(world, "stop", true, 1), OK);
	CHECK(is_kept(world, "stop") && !is_kept(world, "wish"));
	end_world(world);
}

static void space_is_noticed_and_held_again(void **state)
{
	struct world *world = new_world();

	(void)state;
	limit = 0;
	CHECK_ERR(write_one(world, "wish", false, 1), ERR_FULL);
	CHECK(given_up() == 0); /* nobody needed it */
	CHECK_ERR(write_one(world, "stop", true, 1), OK);
	CHECK(given_up() > 0);
	limit = NO_LIMIT;
	usleep(ASK_AGAIN_US);
	CHECK_ERR(write_one(world, "wish", false, 1), OK);
	CHECK(given_up() == 0);
	CHECK(is_kept(world, "wish") && is_kept(world, "stop"));
	CHECK_ERR(store_ping(world_task(world), world->store), OK);
	end_world(world);
}

/* What does not fit at all is refused, and nothing of it is there. */
static void a_reserve_that_is_spent_refuses_stops_too(void **state)
{
	struct world *world = new_world();

	(void)state;
	limit = 0;
	CHECK_ERR(write_one(world, "too large", true, TOO_LARGE), ERR_FULL);
	CHECK(given_up() == RESERVE);
	CHECK(!is_kept(world, "too large"));
	/* what was given up is there for a smaller one */
	CHECK_ERR(write_one(world, "stop", true, 1), OK);
	CHECK(is_kept(world, "stop"));
	open_store(world);
	CHECK(is_kept(world, "stop") && !is_kept(world, "too large"));
	end_world(world);
}

/* Each is moved into the database at once, so that the next finds its place in the log. */
static void many_stops_need_no_more_than_one(void **state)
{
	struct world *world = new_world();
	int64_t after_one;

	(void)state;
	limit = 0;
	CHECK_ERR(write_one(world, "stop", true, 1), OK);
	after_one = given_up();
	for (int i = 0; i < 200; i++)
		CHECK_ERR(write_one(world, "stop", true, 1), OK);
	CHECK(given_up() == after_one);
	end_world(world);
}

/* Else a storm of requests keeps the only writer busy with what cannot succeed. */
static void what_is_refused_costs_no_attempt_to_move_the_log(void **state)
{
	struct world *world = new_world();
	int attempts;

	(void)state;
	CHECK_ERR(write_one(world, "before", false, 1), OK);
	limit = 0;
	is_fixed = true;
	fixed_writes = 0;
	CHECK_ERR(write_one(world, "wish", false, 1), ERR_FULL);
	attempts = fixed_writes;
	CHECK(attempts > 0);
	for (int i = 0; i < 20; i++)
		CHECK_ERR(write_one(world, "wish", false, 1), ERR_FULL);
	CHECK(fixed_writes == attempts);
	CHECK_ERR(write_one(world, "stop", true, 1), OK);
	CHECK(fixed_writes > attempts);
	end_world(world);
}

int main(void)
{
	return RUN(cmocka_unit_test(the_reserve_is_allocated_and_nobody_elses),
		   cmocka_unit_test(a_reserve_that_cannot_be_had_is_told_at_start),
		   cmocka_unit_test(who_settles_later_is_told_later),
		   cmocka_unit_test(on_a_full_disk_stops_are_kept_and_others_refused),
		   cmocka_unit_test(space_is_noticed_and_held_again),
		   cmocka_unit_test(a_reserve_that_is_spent_refuses_stops_too),
		   cmocka_unit_test(many_stops_need_no_more_than_one),
		   cmocka_unit_test(what_is_refused_costs_no_attempt_to_move_the_log));
}
