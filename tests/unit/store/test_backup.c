/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A restored database takes its place: nothing of what was there before may be taken for its own.
 */
#include "world.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"
#include "store/backup.h"

#define PLACE	  "/grantd.db"
#define ASSEMBLED "/grantd.db.restoring"

static struct world world;

static int begin(void **state)
{
	(void)state;
	world_open(&world);
	store_free(&world.store);
	return 0;
}

static int end(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static struct str path(const char *name)
{
	return STR_JOIN(&world.home.task.arena, world.dir, str_from_c(name));
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(path(name).at, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool holds(const char *name, const char *text)
{
	struct str found = STR_NONE;

	CHECK_ERR(file_read(world_task(&world), path(name), 4096, &found), OK);
	return str_equals(found, str_from_c(text));
}

static bool is_there(const char *name)
{
	return file_exists(world_task(&world), path(name));
}

static void install(void)
{
	put(ASSEMBLED, "new");
	CHECK_ERR(backup_install(world_task(&world), path(ASSEMBLED), path(PLACE)), OK);
	CHECK(holds(PLACE, "new") && !is_there(ASSEMBLED));
	CHECK(!is_there(PLACE "-wal") && !is_there(PLACE "-shm"));
}

static void what_was_there_stays_beside_it(void **state)
{
	(void)state;
	CHECK(is_there(PLACE));
	install();
	CHECK(is_there(PLACE ".before-restore") && !is_there(PLACE ".before-restore-wal"));
}

static void a_damaged_database_goes_aside_with_its_log(void **state)
{
	(void)state;
	put(PLACE, "damaged");
	put(PLACE "-shm", "its index");
	CHECK(mkdir(path(PLACE "-wal").at, 0700) == 0); /* no log that can be moved into it */
	install();
	CHECK(holds(PLACE ".before-restore", "damaged"));
	CHECK(rmdir(path(PLACE ".before-restore-wal").at) == 0);
}

/* Moved away by hand, or by a restore that was killed half way. */
static void a_log_without_its_database_is_not_played_into_the_new_one(void **state)
{
	(void)state;
	put(PLACE ".before-restore", "of an earlier restore");
	CHECK(unlink(path(PLACE).at) == 0);
	put(PLACE "-wal", "whose is it?");
	install();
	CHECK(holds(PLACE ".before-restore", "of an earlier restore"));
	CHECK(!is_there(PLACE ".before-restore-wal"));
	CHECK(holds(PLACE "-wal.before-restore", "whose is it?"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_there_stays_beside_it, begin, end),
		cmocka_unit_test_setup_teardown(a_damaged_database_goes_aside_with_its_log, begin,
						end),
		cmocka_unit_test_setup_teardown(
			a_log_without_its_database_is_not_played_into_the_new_one, begin, end),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
