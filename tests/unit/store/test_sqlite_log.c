/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log that is written in few calls. The layer below is SQLite's own file system, counted, and
 * one that fails when it is told to.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "store/sqlite_layer.h"
#include "store/sqlite_log.h"

#define PAGES 100 /* more than is gathered at a time */

static sqlite3_vfs counted_vfs;
static sqlite3_io_methods counted_methods;
static sqlite3_vfs *true_vfs;
static const sqlite3_io_methods *true_methods;
static int writes;
static bool is_failing;

struct fixture {
	char dir[64], file[96];
	sqlite3 *writer, *reader;
};

static int counted_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	writes++;
	return is_failing ? SQLITE_FULL : true_methods->xWrite(file, bytes, len, offset);
}

static int counted_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
	int code = true_vfs->xOpen(vfs, path, file, flags, out);

	if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0)
		return code;
	true_methods = file->pMethods;
	counted_methods = *true_methods;
	counted_methods.xWrite = counted_write;
	file->pMethods = &counted_methods;
	return code;
}

static void run(sqlite3 *db, const char *text)
{
	CHECK(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static int64_t number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *statement = NULL;
	int64_t value;

	CHECK(sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK);
	CHECK(sqlite3_step(statement) == SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* Each row fills a page. */
static void add_rows(sqlite3 *db, int count)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		 "INSERT INTO facts (bytes) SELECT randomblob(3900) FROM n",
		 count);
	run(db, text);
}

static void check_sound(const struct fixture *f, int64_t rows)
{
	CHECK(number(f->reader, "SELECT count(*) FROM facts") == rows);
	CHECK(number(f->reader,
		     "SELECT count(*) FROM pragma_integrity_check() WHERE integrity_check = "
		     "'ok'") == 1);
}

static int begin(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	true_vfs = sqlite3_vfs_find("unix");
	counted_vfs = *true_vfs;
	counted_vfs.zName = "counted";
	counted_vfs.xOpen = counted_open;
	sqlite3_vfs_register(&counted_vfs, 1);
	is_failing = false;
	snprintf(f->dir, sizeof(f->dir), "/tmp/grantd-log-XXXXXX");
	CHECK(mkdtemp(f->dir) != NULL);
	snprintf(f->file, sizeof(f->file), "%s/facts.db", f->dir);
	CHECK(sqlite3_open_v2(f->file, &f->writer, flags, sqlite_layer()) == SQLITE_OK);
	run(f->writer, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
		       "CREATE TABLE facts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)");
	sqlite3_wal_autocheckpoint(f->writer, 0);
	CHECK(sqlite3_open_v2(f->file, &f->reader, flags, "unix") == SQLITE_OK);
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
	sqlite3_vfs_unregister(&counted_vfs);
	sqlite3_vfs_register(true_vfs, 1);
	test_free(f);
	return 0;
}

static void a_commit_is_one_write_and_everybody_sees_it(void **state)
{
	const struct fixture *f = *state;

	writes = 0;
	add_rows(f->writer, 5);
	CHECK(writes == 1);
	check_sound(f, 5);
}

static void a_long_commit_is_a_few(void **state)
{
	const struct fixture *f = *state;

	writes = 0;
	add_rows(f->writer, PAGES);
	CHECK(writes >= PAGES / 31 && writes <= PAGES / 31 + 2);
	check_sound(f, PAGES);
}

static void copy_file(const char *from, const char *to)
{
	char bytes[8192];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(in >= 0 && out >= 0);
	for (ssize_t len; (len = read(in, bytes, sizeof(bytes))) > 0;)
		CHECK(write(out, bytes, (size_t)len) == len);
	close(in);
	close(out);
}

/* What the files say alone, without the shared memory beside them. */
static int64_t sum_after_a_crash(const struct fixture *f)
{
	char log[112], copy[112], copied_log[128];
	sqlite3 *db = NULL;
	int64_t sum;

	snprintf(log, sizeof(log), "%s-wal", f->file);
	snprintf(copy, sizeof(copy), "%s-copy", f->file);
	snprintf(copied_log, sizeof(copied_log), "%s-wal", copy);
	copy_file(f->file, copy);
	copy_file(log, copied_log);
	CHECK(sqlite3_open_v2(copy, &db, SQLITE_OPEN_READWRITE, "unix") == SQLITE_OK);
	sum = number(db, "SELECT sum(length(bytes)) FROM facts");
	CHECK(sqlite3_close(db) == SQLITE_OK);
	CHECK(unlink(copy) == 0);
	return sum;
}

/* A small cache gives pages up before the commit, and reads and writes them again. */
static void what_is_written_before_the_commit_is_found_again(void **state)
{
	const struct fixture *f = *state;

	run(f->writer, "PRAGMA cache_size=5; BEGIN");
	add_rows(f->writer, PAGES);
	run(f->writer, "UPDATE facts SET bytes = randomblob(3800)");
	CHECK(number(f->writer, "SELECT sum(length(bytes)) FROM facts") == PAGES * 3800);
	CHECK(number(f->reader, "SELECT count(*) FROM facts") == 0);
	run(f->writer, "COMMIT");
	check_sound(f, PAGES);
	CHECK(sum_after_a_crash(f) == PAGES * 3800);
}

static void what_is_taken_back_leaves_nothing(void **state)
{
	const struct fixture *f = *state;

	run(f->writer, "PRAGMA cache_size=5; BEGIN");
	add_rows(f->writer, PAGES);
	run(f->writer, "ROLLBACK");
	add_rows(f->writer, 1);
	check_sound(f, 1);
}

static void a_commit_that_cannot_be_written_is_none(void **state)
{
	const struct fixture *f = *state;

	add_rows(f->writer, 1);
	is_failing = true;
	CHECK(sqlite3_exec(f->writer, "INSERT INTO facts (bytes) VALUES (randomblob(9000))", NULL,
			   NULL, NULL) == SQLITE_FULL);
	is_failing = false;
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
