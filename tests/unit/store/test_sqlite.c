/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only SQLite has: the file, its lock, its log, and what happens when the disk or the process
 * fails.
 */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "nouns.h"
#include "store/driver.h"
#include "store/events.h"
#include "store/key_rows.h"
#include "store/sqlite.h"

#define DETAILS	    (64 * 1024)
#define EVENTS	    1000 /* of DETAILS: four times the log's 4,000 pages of 4 KiB */
#define WAL_MAX	    (40 * 1024 * 1024)
#define KILL_ROUNDS 3
#define KILL_AFTER  200

static STATEMENT SYNCHRONOUS = { "PRAGMA synchronous" };
static STATEMENT FOREIGN_KEYS = { "PRAGMA foreign_keys" };
static STATEMENT TRUSTED_SCHEMA = { "PRAGMA trusted_schema" };
static STATEMENT SECURE_DELETE = { "PRAGMA secure_delete" };
static STATEMENT QUERY_ONLY = { "PRAGMA query_only" };

static struct world *new_world(void)
{
	struct world *world = test_calloc(1, sizeof(*world));

	world_open(world);
	return world;
}

static void end_world(struct world *world)
{
	world_close(world);
	test_free(world);
}

static const char *file_of(struct world *world, const char *ending)
{
	return STR_JOIN(&world->home.task.arena, world->dir, STR("/grantd.db"), str_from_c(ending))
		.at;
}

static void a_second_process_is_refused_by_name(void **state)
{
	struct world *world = new_world();
	struct store_config config = world_config(world);
	struct store *second = NULL;
	struct str pid = str_printf(&world->home.task.arena, "(pid %ld)", (long)getpid());
	int from = 0;
	int to = 0;

	(void)state;
	CHECK_ERR(store_open(world_task(world), &config, &second), ERR_CONFIG);
	CHECK(second == NULL);
	CHECK(str_starts_with(str_from(world->home.task.reason, STR("another grantd ").len), pid));
	CHECK_ERR(store_migrate(world_task(world), &config, &from, &to), ERR_CONFIG);
	world_restart(world);
	end_world(world);
}

static void a_database_that_is_missing_or_open_to_others_is_refused(void **state)
{
	struct world *world = new_world();
	struct store_config config = world_config(world);
	struct stat stat_of = { 0 };

	(void)state;
	CHECK(stat(file_of(world, ""), &stat_of) == 0 && (stat_of.st_mode & 0777) == 0600);
	CHECK(stat(file_of(world, "-wal"), &stat_of) == 0 && (stat_of.st_mode & 0777) == 0600);
	store_free(&world->store);
	CHECK(chmod(file_of(world, ""), 0640) == 0);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), ERR_CONFIG);
	CHECK(unlink(file_of(world, "")) == 0);
	CHECK_ERR(store_open(world_task(world), &config, &world->store), ERR_CONFIG);
	CHECK(str_ends_with(world->home.task.reason, STR("run grantd init")));
	CHECK(access(file_of(world, ""), F_OK) != 0);
	end_world(world);
}

struct pragmas {
	int64_t synchronous, foreign_keys, trusted_schema, secure_delete;
};

static enum err read_pragmas(struct task *task, struct db *db, void *arg)
{
	struct pragmas *pragmas = arg;

	TRY(sql_one_int(task, db, &SYNCHRONOUS, NO_ARGS, &pragmas->synchronous));
	TRY(sql_one_int(task, db, &FOREIGN_KEYS, NO_ARGS, &pragmas->foreign_keys));
	TRY(sql_one_int(task, db, &TRUSTED_SCHEMA, NO_ARGS, &pragmas->trusted_schema));
	return sql_one_int(task, db, &SECURE_DELETE, NO_ARGS, &pragmas->secure_delete);
}

static void the_writer_is_durable_and_strict(void **state)
{
	struct world *world = new_world();
	struct pragmas pragmas = { -1, -1, -1, -1 };
	int64_t query_only = 0;

	(void)state;
	CHECK_ERR(world_write(world, read_pragmas, &pragmas), OK);
	CHECK(pragmas.synchronous == 2 && pragmas.foreign_keys == 1);
	CHECK(pragmas.trusted_schema == 0 && pragmas.secure_delete == 1);
	CHECK_ERR(sql_one_int(world_task(world), world_reader(world), &QUERY_ONLY, NO_ARGS,
			      &query_only),
		  OK);
	CHECK(query_only == 1);
	end_world(world);
}

struct flood {
	struct str details;
	int first, last;
};

static enum err add_events(struct task *task, struct db *db, void *arg)
{
	const struct flood *flood = arg;

	for (int i = flood->first; i < flood->last; i++) {
		struct event event = { .id = str_printf(&task->arena, "evt_%08d", i),
				       .at = CHECK_NOW,
				       .kind = STR("flood"),
				       .actor = STR("agent"),
				       .details = flood->details };

		TRY(event_insert(task, db, &event));
	}
	return OK;
}

static void the_log_is_moved_into_the_database_as_it_grows(void **state)
{
	struct world *world = new_world();
	char *text = test_calloc(1, DETAILS);
	struct stat stat_of = { 0 };

	(void)state;
	memset(text, 'x', DETAILS);
	for (int i = 0; i < EVENTS; i += 20) {
		struct flood flood = { { text, DETAILS }, i, i + 20 };

		CHECK_ERR(world_write(world, add_events, &flood), OK);
	}
	CHECK(stat(file_of(world, "-wal"), &stat_of) == 0 && stat_of.st_size < WAL_MAX);
	CHECK(stat(file_of(world, ""), &stat_of) == 0 && stat_of.st_size > DETAILS * EVENTS / 2);
	test_free(text);
	end_world(world);
}

/* Else an idle grantd would hold all of a database of up to 16 MiB. */
static void a_database_that_was_looked_through_is_not_kept_in_memory(void **state)
{
	struct world *world = new_world();
	struct store_config config = world_config(world);
	char *text = test_calloc(1, DETAILS);
	struct flood flood = { { text, DETAILS }, 0, 60 };
	struct stat stat_of = { 0 };
	int used = 0, most = 0;

	(void)state;
	memset(text, 'x', DETAILS);
	CHECK_ERR(world_write(world, add_events, &flood), OK);
	store_free(&world->store);
	CHECK(stat(file_of(world, ""), &stat_of) == 0 && stat_of.st_size > 3 * 1024 * 1024);
	config.inspect = STORE_INSPECT;
	CHECK_ERR(store_open(&world->home.task, &config, &world->store), OK);
	CHECK(sqlite3_db_status(((struct sqlite_db *)world_reader(world))->handle,
				SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0) == SQLITE_OK);
	CHECK(used > 0 && used < 1024 * 1024);
	test_free(text);
	end_world(world);
}

/*
 * A file system whose fsync of the log fails when told to: SQLite's own, with one function
 * replaced.
 */
static sqlite3_vfs failing_vfs;
static sqlite3_io_methods failing_methods;
static const sqlite3_vfs *true_vfs;
static bool fsync_fails;

static int failing_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return fsync_fails ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int open_failing(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	int code = true_vfs->xOpen(vfs, name, file, flags, out);

	if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
		failing_methods = *file->pMethods;
		failing_methods.xSync = failing_sync;
		file->pMethods = &failing_methods;
	}
	return code;
}

static enum err set_fact(struct task *task, struct db *db, void *arg)
{
	return fact_set(task, db, *(struct str *)arg, STR("kept"));
}

/* cmocka catches signals to go on with the next test, which a child must not do. */
static void be_a_child(void)
{
	static const int caught[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS };

	for (size_t i = 0; i < COUNT_OF(caught); i++)
		signal(caught[i], SIG_DFL);
}

static void write_until_fsync_fails(struct world *world)
{
	struct str name = STR("lost");

	be_a_child();
	true_vfs = sqlite3_vfs_find(NULL);
	failing_vfs = *true_vfs;
	failing_vfs.zName = "failing";
	failing_vfs.xOpen = open_failing;
	sqlite3_vfs_register(&failing_vfs, 1);
	world_restart(world);
	fsync_fails = true;
	/* no answer at all is what we want: the process must end inside */
	_exit(world_write(world, set_fact, &name) == OK ? 1 : 2);
}

static void a_failed_fsync_ends_the_process(void **state)
{
	struct world *world = new_world();
	struct str name = STR("kept before");
	struct str value = STR_NONE;
	int status = 0;
	pid_t child;

	(void)state;
	CHECK_ERR(world_write(world, set_fact, &name), OK);
	store_free(&world->store);
	child = fork();
	if (child == 0)
		write_until_fsync_fails(world);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EX_IOERR);
	world_restart(world);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), name, &value), OK);
	end_world(world);
}

/* Writes fact after fact and notes each one it was told is kept. */
static void write_and_note(struct world *world, int round, const char *notes)
{
	int fd = open(notes, O_WRONLY | O_CREAT | O_APPEND, 0600);

	be_a_child();
	world_restart(world);
	for (int i = 0;; i++) {
		struct str name = str_printf(&world->home.task.arena, "%02d-%06d", round, i);

		if (world_write(world, set_fact, &name) != OK || write(fd, name.at, 9) != 9)
			_exit(1);
	}
}

static off_t size_of(const char *path)
{
	struct stat stat_of = { 0 };

	return stat(path, &stat_of) == 0 ? stat_of.st_size : 0;
}

static void kill_in_the_middle(struct world *world, int round, const char *notes)
{
	off_t before = size_of(notes);
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		write_and_note(world, round, notes);
	while (size_of(notes) < before + KILL_AFTER * 9 && waitpid(child, &status, WNOHANG) == 0)
		usleep(500);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void kill_9_loses_nothing_that_was_acknowledged(void **state)
{
	struct world *world = new_world();
	const char *notes = file_of(world, ".notes");
	char name[9];
	size_t checked = 0;
	FILE *file;

	(void)state;
	store_free(&world->store);
	for (int round = 0; round < KILL_ROUNDS; round++)
		kill_in_the_middle(world, round, notes);
	world_restart(world);
	file = fopen(notes, "r");
	CHECK(file != NULL);
	while (fread(name, sizeof(name), 1, file) == 1) {
		struct str value = STR_NONE;

		CHECK_ERR(fact_find(world_task(world), world_reader(world),
				    (struct str){ name, sizeof(name) }, &value),
			  OK);
		checked++;
	}
	fclose(file);
	CHECK(checked >= (size_t)KILL_ROUNDS * KILL_AFTER);
	end_world(world);
}

static void a_database_address_of_another_kind_is_refused(void **state)
{
	struct world *world = new_world();
	struct store_config config = world_config(world);
	struct store *store = NULL;

	(void)state;
	config.database = STR("mysql://localhost/grantd");
	CHECK_ERR(store_open(world_task(world), &config, &store), ERR_CONFIG);
	CHECK(!store_may_block(world->store));
	end_world(world);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_second_process_is_refused_by_name),
		   cmocka_unit_test(a_database_that_is_missing_or_open_to_others_is_refused),
		   cmocka_unit_test(the_writer_is_durable_and_strict),
		   cmocka_unit_test(the_log_is_moved_into_the_database_as_it_grows),
		   cmocka_unit_test(a_database_that_was_looked_through_is_not_kept_in_memory),
		   cmocka_unit_test(a_failed_fsync_ends_the_process),
		   cmocka_unit_test(kill_9_loses_nothing_that_was_acknowledged),
		   cmocka_unit_test(a_database_address_of_another_kind_is_refused));
}
