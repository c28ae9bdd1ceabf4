/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log that is written in few calls. The layer below is SQLite's own file system, counted, and
 * one that fails when it is told to.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "by_hand.h"
#include "check.h"
#include "store/sqlite_layer.h"
#include "store/sqlite_log.h"

#define PAGES 100 /* more than is gathered at a time */

struct fixture {
	char dir[64], file[96];
	sqlite3 *writer, *reader;
};

/* Each row fills a page. */
static void add_rows(sqlite3 *db, int count)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		 "INSERT INTO facts (bytes) SELECT randomblob(3900) FROM n",
		 count);
	hand_run(db, text);
}

static void check_sound(const struct fixture *f, int64_t rows)
{
	CHECK(hand_number(f->reader, "SELECT count(*) FROM facts") == rows);
	CHECK(hand_is_sound(f->reader));
}

static int begin(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	below_begin();
	snprintf(f->dir, sizeof(f->dir), "/tmp/grantd-log-XXXXXX");
	CHECK(mkdtemp(f->dir) != NULL);
	snprintf(f->file, sizeof(f->file), "%s/facts.db", f->dir);
	f->writer = hand_open(f->file, sqlite_layer());
	hand_run(f->writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
			    "CREATE TABLE facts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
	sqlite3_wal_autocheckpoint(f->writer, 0);
	f->reader = hand_open(f->file, "unix");
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	CHECK(sqlite3_close(f->reader) == SQLITE_OK);
	CHECK(sqlite3_close(f->writer) == SQLITE_OK);
	CHECK(unlink(f->file) == 0);
	CHECK(rmdir(f->dir) == 0); /* and the log is gone */
	below_end();
	test_free(f);
	return 0;
}

static void a_commit_is_one_write_and_everybody_sees_it(void **state)
{
	const struct fixture *f = *state;

	below.log_writes = 0;
	add_rows(f->writer, 5);
	CHECK(below.log_writes == 1);
	check_sound(f, 5);
}

static void a_long_commit_is_a_few(void **state)
{
	const struct fixture *f = *state;

	below.log_writes = 0;
	add_rows(f->writer, PAGES);
	CHECK(below.log_writes >= PAGES / 31 && below.log_writes <= PAGES / 31 + 2);
	check_sound(f, PAGES);
}

/* What the files say alone, without the shared memory beside them. */
static int64_t sum_after_a_crash(const struct fixture *f)
{
	char copy[112];
	sqlite3 *db;
	int64_t sum;

	snprintf(copy, sizeof(copy), "%s-copy", f->file);
	hand_copy(f->file, copy);
	db = hand_open(copy, "unix");
	sum = hand_number(db, "SELECT sum(length(bytes)) FROM facts");
	CHECK(sqlite3_close(db) == SQLITE_OK);
	CHECK(unlink(copy) == 0);
	return sum;
}

/* A small cache gives pages up before the commit, and reads and writes them again. */
static void what_is_written_before_the_commit_is_found_again(void **state)
{
	const struct fixture *f = *state;

	hand_run(f->writer, "PRAGMA cache_size=5; BEGIN");
	add_rows(f->writer, PAGES);
	hand_run(f->writer, "UPDATE facts SET bytes = randomblob(3800)");
	CHECK(hand_number(f->writer, "SELECT sum(length(bytes)) FROM facts") == PAGES * 3800);
	CHECK(hand_number(f->reader, "SELECT count(*) FROM facts") == 0);
	hand_run(f->writer, "COMMIT");
	check_sound(f, PAGES);
	CHECK(sum_after_a_crash(f) == PAGES * 3800);
}

static void what_is_taken_back_leaves_nothing(void **state)
{
	const struct fixture *f = *state;

	hand_run(f->writer, "PRAGMA cache_size=5; BEGIN");
	add_rows(f->writer, PAGES);
	hand_run(f->writer, "ROLLBACK");
	add_rows(f->writer, 1);
	check_sound(f, 1);
}

static void a_commit_that_cannot_be_written_is_none(void **state)
{
	const struct fixture *f = *state;

	add_rows(f->writer, 1);
	below.is_full = true;
	CHECK(sqlite3_exec(f->writer, "INSERT INTO facts (bytes) VALUES (randomblob(9000))", NULL,
			   NULL, NULL) == SQLITE_FULL);
	below.is_full = false;
	check_sound(f, 1);
	add_rows(f->writer, 1);
	check_sound(f, 2);
}

static void the_log_is_moved_into_the_database(void **state)
{
	const struct fixture *f = *state;
	int in_log = 0, moved = 0;

	add_rows(f->writer, PAGES);
	CHECK(sqlite3_wal_checkpoint_v2(f->writer, NULL, SQLITE_CHECKPOINT_TRUNCATE, &in_log,
					&moved) == SQLITE_OK);
	check_sound(f, PAGES);
	add_rows(f->writer, 2);
	check_sound(f, PAGES + 2);
}

static int writes;
static sqlite3_int64 written_at;

static int note_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	(void)file;
	(void)bytes;
	CHECK(len == 24 + 4096);
	writes++;
	written_at = offset;
	return SQLITE_OK;
}

static void write_frame(struct gathered *gathered, sqlite3_file *file, sqlite3_int64 at,
			bool is_commit)
{
	static const char page[4096];
	char head[24] = { [7] = (char)is_commit };

	CHECK(gathered_write(gathered, file, head, sizeof(head), at) == SQLITE_OK);
	CHECK(gathered_write(gathered, file, page, sizeof(page), at + 24) == SQLITE_OK);
}

/* Another process may have written where the frames that were taken back would have come. */
static void what_was_gathered_ends_with_its_transaction(void **state)
{
	static const sqlite3_io_methods methods = { .iVersion = 1, .xWrite = note_write };
	sqlite3_file file = { &methods };
	struct gathered *gathered = gathered_new();

	(void)state;
	writes = 0;
	write_frame(gathered, &file, 32, false);
	gathered_end(gathered);
	write_frame(gathered, &file, 32 + (24 + 4096), true);
	CHECK(writes == 1 && written_at == 32 + (24 + 4096));
	CHECK(gathered_flush(gathered, &file) == SQLITE_OK);
	CHECK(writes == 1);
	gathered_free(&gathered);
	CHECK(gathered == NULL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	return RUN(CASE(a_commit_is_one_write_and_everybody_sees_it), CASE(a_long_commit_is_a_few),
		   CASE(what_is_written_before_the_commit_is_found_again),
		   CASE(what_is_taken_back_leaves_nothing),
		   CASE(a_commit_that_cannot_be_written_is_none),
		   CASE(the_log_is_moved_into_the_database),
		   cmocka_unit_test(what_was_gathered_ends_with_its_transaction));
}
