/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has ended is on record before anybody is told; the record survives crashes and full disks.
 */
#include "both.h"
#include "nouns.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/driver.h"
#include "store/ended.h"

static struct str file_of(struct world *world)
{
	return STR_JOIN(&world->home.task.arena, world->dir, STR("/ended.log"));
}

static enum err reopen(struct world *world)
{
	struct store_config config = world_config(world);

	store_free(&world->store);
	config.ended = file_of(world);
	return store_open(world_task(world), &config, &world->store);
}

static void open_with_record(struct world *world)
{
	nouns_insert(world);
	CHECK_ERR(reopen(world), OK);
}

static struct ended_record read_record(struct world *world)
{
	struct ended_record record = { 0 };

	CHECK_ERR(ended_read(world_task(world), file_of(world), &record), OK);
	return record;
}

static void append(struct world *world, const char *text)
{
	int fd = open(file_of(world).at, O_WRONLY | O_APPEND | O_CLOEXEC);
	struct str bytes = str_from_c(text);

	CHECK(fd >= 0 && write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len && close(fd) == 0);
}

static enum err revoke_grant(struct task *task, struct db *db, void *arg)
{
	bool is_now = false;

	(void)arg;
	return grant_revoke(task, db, alice_grant.id, task->now, STR("user"), &is_now);
}

static enum err end_family(struct task *task, struct db *db, void *arg)
{
	bool is_now = false;

	(void)arg;
	return family_revoke(task, db, alice_family.id, task->now, STR("reused"), &is_now);
}

static enum err end_and_refuse(struct task *task, struct db *db, void *arg)
{
	TRY(end_family(task, db, arg));
	return fail(task, ERR_CONFLICT, "and yet not");
}

static void what_ends_is_on_record_once_with_who_ended_it(void **state)
{
	struct world *world = *state;
	struct ended_record record;

	open_with_record(world);
	for (int i = 0; i < 2; i++)
		CHECK_ERR(world_write(world, revoke_grant, NULL), OK);
	record = read_record(world);
	CHECK(record.count == 1 && record.since == CHECK_NOW);
	CHECK(record.lines[0].at == CHECK_NOW);
	CHECK_STR(record.lines[0].verb, STR("grant"));
	CHECK_STR(record.lines[0].id, alice_grant.id);
	CHECK_STR(record.lines[0].more, STR("user"));
}

static void what_was_rolled_back_is_not_on_record(void **state)
{
	struct world *world = *state;

	open_with_record(world);
	CHECK_ERR(world_write(world, end_and_refuse, NULL), ERR_CONFLICT);
	CHECK(read_record(world).count == 0);
	CHECK_ERR(world_write(world, end_family, NULL), OK);
	CHECK(read_record(world).count == 1);
}

static void a_line_that_a_crash_tore_is_cut_and_what_follows_is_whole(void **state)
{
	struct world *world = *state;
	struct ended_record record;

	open_with_record(world);
	append(world, "17000 family fam_to");
	CHECK(read_record(world).count == 0 && read_record(world).since == CHECK_NOW);
	CHECK_ERR(reopen(world), OK);
	CHECK_ERR(world_write(world, end_family, NULL), OK);
	record = read_record(world);
	CHECK(record.count == 1 && record.since == CHECK_NOW);
	CHECK_STR(record.lines[0].id, alice_family.id);
}

static void a_damaged_line_makes_the_record_incomplete_until_it_says_so_itself(void **state)
{
	static const char *const damaged[] = { "\n",
					       "x family fam_a reused\n",
					       "1 family\n",
					       "1 family fam_a\n",
					       "1 family fam_a reused more\n",
					       "-1 family fam_a reused\n",
					       "1  fam_a reused\n" };
	struct world *world = *state;

	open_with_record(world);
	for (size_t i = 0; i < COUNT_OF(damaged); i++) {
		append(world, damaged[i]);
		append(world, "5 family fam_b reused\n");
		CHECK_ROW(read_record(world).since == INT64_MAX, "%s", damaged[i]);
		append(world, "4 lost - -\n"); /* from before it: it does not speak of it */
		CHECK_ROW(read_record(world).since == INT64_MAX, "%s", damaged[i]);
		append(world, "77 lost - -\n");
		CHECK_ROW(read_record(world).since == CHECK_NOW, "%s", damaged[i]);
		CHECK(read_record(world).count == i + 1);
	}
}

static void something_else_in_its_place_is_refused_and_no_file_remembers_nothing(void **state)
{
	struct world *world = *state;
	struct ended_record record = { 0 };

	nouns_insert(world);
	CHECK(read_record(world).since == INT64_MAX && read_record(world).count == 0);
	CHECK_ERR(reopen(world), OK);
	CHECK(truncate(file_of(world).at, 0) == 0);
	append(world, "something else\n");
	CHECK_ERR(reopen(world), ERR_CONFIG);
	CHECK_ERR(ended_read(world_task(world), file_of(world), &record), ERR_CONFIG);
	CHECK(unlink(file_of(world).at) == 0);
	CHECK_ERR(reopen(world), OK);
}

static void set_ceiling(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* As on a full disk: the act goes on, and the record says from where on it is complete. */
static void a_line_that_cannot_be_written_is_owned_up_to(void **state)
{
	struct world *world = *state;
	struct task *task = world_task(world);
	struct ended *ended = NULL;
	struct db db = { 0 };
	struct stat stat_before;
	struct ended_record record;

	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_ERR(ended_open(task, file_of(world), &ended), OK);
	db.ended = ended_notes_new(ended);
	CHECK(stat(file_of(world).at, &stat_before) == 0);
	set_ceiling((rlim_t)stat_before.st_size + 10);
	ended_note(task, &db, "grant", STR("gra_a"), STR("user"));
	ended_keep(task, &db);
	set_ceiling(RLIM_INFINITY);
	CHECK(read_record(world).count == 0);
	world->clock.now += SECOND_MS;
	task = world_task(world);
	ended_note(task, &db, "grant", STR("gra_b"), STR("user"));
	ended_keep(task, &db);
	record = read_record(world);
	CHECK(record.count == 1 && record.since == CHECK_NOW + SECOND_MS);
	CHECK_STR(record.lines[0].id, STR("gra_b"));
	ended_notes_free(&db.ended);
	ended_free(&ended);
}

/* As on a full disk, and then kill -9: the next start owns up to what this one could not. */
static void a_line_that_was_lost_before_a_restart_is_owned_up_to_after_it(void **state)
{
	struct world *world = *state;
	struct task *task = world_task(world);
	struct ended *ended = NULL;
	struct db db = { 0 };
	struct stat stat_before;

	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK_ERR(ended_open(task, file_of(world), &ended), OK);
	db.ended = ended_notes_new(ended);
	CHECK(stat(file_of(world).at, &stat_before) == 0);
	set_ceiling((rlim_t)stat_before.st_size);
	ended_note(task, &db, "grant", STR("gra_a"), STR("user"));
	ended_keep(task, &db);
	ended_notes_free(&db.ended);
	ended_free(&ended);
	CHECK(read_record(world).since == INT64_MAX);
	CHECK_ERR(ended_open(task, file_of(world), &ended), OK); /* the disk is still full */
	ended_free(&ended);
	CHECK(read_record(world).since == INT64_MAX);
	set_ceiling(RLIM_INFINITY);
	world->clock.now += SECOND_MS;
	CHECK_ERR(ended_open(world_task(world), file_of(world), &ended), OK);
	ended_free(&ended);
	CHECK(read_record(world).since == CHECK_NOW + SECOND_MS);
	CHECK(read_record(world).count == 0);
}

static void a_lost_line_out_of_its_order_takes_nothing_back(void **state)
{
	struct world *world = *state;

	open_with_record(world);
	append(world, "5 lost - -\n");
	CHECK(read_record(world).since == CHECK_NOW);
	append(world, "grantd-ended 1 + 5\n"); /* two files put together */
	CHECK(read_record(world).since == INT64_MAX);
}

/* More lines than are kept in memory: all are there, in their order. */
static void many_ends_in_one_transaction_are_all_on_record(void **state)
{
	struct world *world = *state;
	struct task *task = world_task(world);
	struct ended *ended = NULL;
	struct db db = { 0 };
	struct ended_record record;

	CHECK_ERR(ended_open(task, file_of(world), &ended), OK);
	db.ended = ended_notes_new(ended);
	for (int i = 0; i < 5000; i++)
		ended_note(task, &db, "family", str_printf(&task->arena, "fam_%d", i),
			   STR("reused"));
	ended_keep(task, &db);
	record = read_record(world);
	CHECK(record.count == 5000 && record.since == CHECK_NOW);
	CHECK_STR(record.lines[4999].id, STR("fam_4999"));
	ended_notes_free(&db.ended);
	ended_free(&ended);
}

static int64_t newest(struct world *world)
{
	int64_t at = -1;

	CHECK_ERR(ended_newest(world_task(world), file_of(world), &at), OK);
	return at;
}

static void its_newest_act_is_found_at_its_end(void **state)
{
	struct world *world = *state;
	char line[64];

	CHECK(newest(world) == 0);
	open_with_record(world);
	CHECK(newest(world) == 0);
	append(world, "1000 grant gra_a user\n900 family fam_a reused\n");
	CHECK(newest(world) == 1000);
	append(world, "5000 lost - -\nnonsense\n6000 grant gra_b us");
	CHECK(newest(world) == 1000);
	append(world, "er\n");
	CHECK(newest(world) == 6000);
	append(world, "6500 grant gra_b user\n6500 unkept - -\n");
	CHECK(newest(world) == 0);
	append(world, "6600 grant gra_b user\n");
	CHECK(newest(world) == 6600);
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "%d grant gra_c user\n", 7000 + i);
		append(world, line);
	}
	CHECK(newest(world) == 7999);
}

/* Each database finds out at the commit only. */
static enum err end_what_cannot_be_committed(struct task *task, struct db *db, void *arg)
{
	struct family stray = alice_family;

	stray.id = STR("fam_stray");
	stray.grant_id = STR("gra_stray");
	TRY(revoke_grant(task, db, arg));
	if (db->driver == &postgres_driver)
		return db->driver->execute(task, db, "SELECT 1 / 0") == OK ? ERR_INTERNAL : OK;
	TRY(db->driver->execute(task, db, "PRAGMA defer_foreign_keys=ON"));
	return family_insert(task, db, &stray);
}

static void an_act_whose_commit_failed_need_not_be_in_the_database(void **state)
{
	struct world *world = *state;

	open_with_record(world);
	CHECK_ERR(world_write(world, end_what_cannot_be_committed, NULL), ERR_STORE);
	CHECK(newest(world) == 0 && read_record(world).count == 1);
	CHECK_ERR(world_write(world, revoke_grant, NULL), OK);
	CHECK(newest(world) > 0 && read_record(world).count == 2);
	/* what was refused before its commit says nothing */
	CHECK_ERR(world_write(world, end_and_refuse, NULL), ERR_CONFLICT);
	CHECK(newest(world) > 0);
	CHECK(read_record(world).since != INT64_MAX);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(what_ends_is_on_record_once_with_who_ended_it),
		cmocka_unit_test(what_was_rolled_back_is_not_on_record),
		cmocka_unit_test(a_line_that_a_crash_tore_is_cut_and_what_follows_is_whole),
		cmocka_unit_test(
			a_damaged_line_makes_the_record_incomplete_until_it_says_so_itself),
		cmocka_unit_test(
			something_else_in_its_place_is_refused_and_no_file_remembers_nothing),
		cmocka_unit_test(a_line_that_cannot_be_written_is_owned_up_to),
		cmocka_unit_test(a_line_that_was_lost_before_a_restart_is_owned_up_to_after_it),
		cmocka_unit_test(a_lost_line_out_of_its_order_takes_nothing_back),
		cmocka_unit_test(its_newest_act_is_found_at_its_end),
		cmocka_unit_test(an_act_whose_commit_failed_need_not_be_in_the_database),
		cmocka_unit_test(many_ends_in_one_transaction_are_all_on_record));
}
