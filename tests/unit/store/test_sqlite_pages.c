/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that are kept for readers, against what is true: the same database opened without the
 * layer, and what the test wrote. The layer below is SQLite's own file system, counted.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "by_hand.h"
#include "check.h"
#include "store/sqlite_layer.h"

#define ROWS	100 /* a page each */
#define READERS 3
#define ROUNDS	3000
#define COMMITS 150

struct facts {
	char dir[64], file[96];
	sqlite3 *writer;   /* as grantd's own */
	sqlite3 *stranger; /* as an operator's shell: knows of no layer */
	sqlite3 *readers[READERS];
	int64_t values[ROWS];
};

static sqlite3 *open_with(const char *file, const char *layer)
{
	sqlite3 *db = hand_open(file, layer);

	sqlite3_busy_timeout(db, 1000);
	sqlite3_wal_autocheckpoint(db, 0);
	return db;
}

static int64_t value_of(sqlite3 *db, int row)
{
	char text[64];

	snprintf(text, sizeof(text), "SELECT value FROM facts WHERE id = %d", row);
	return hand_number(db, text);
}

static void set_value(sqlite3 *db, int row, int64_t value)
{
	char text[128];

	snprintf(text, sizeof(text), "UPDATE facts SET value = %lld WHERE id = %d",
		 (long long)value, row);
	hand_run(db, text);
}

static void make_facts(struct facts *facts)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		 "INSERT INTO facts SELECT i, 0, randomblob(3900) FROM n",
		 ROWS - 1);
	hand_run(facts->writer,
		 "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
		 "CREATE TABLE facts (id INTEGER PRIMARY KEY, value INT, bytes BLOB)");
	hand_run(facts->writer, text);
}

static int begin(void **state)
{
	struct facts *facts = test_calloc(1, sizeof(*facts));

	below_begin();
	snprintf(facts->dir, sizeof(facts->dir), "/tmp/grantd-pages-XXXXXX");
	CHECK(mkdtemp(facts->dir) != NULL);
	snprintf(facts->file, sizeof(facts->file), "%s/facts.db", facts->dir);
	facts->writer = open_with(facts->file, sqlite_layer());
	make_facts(facts);
	facts->stranger = open_with(facts->file, "unix");
	for (int i = 0; i < READERS; i++)
		facts->readers[i] = open_with(facts->file, sqlite_layer());
	*state = facts;
	return 0;
}

static int end(void **state)
{
	struct facts *facts = *state;

	for (int i = 0; i < READERS; i++)
		CHECK(sqlite3_close(facts->readers[i]) == SQLITE_OK);
	CHECK(sqlite3_close(facts->stranger) == SQLITE_OK);
	CHECK(sqlite3_close(facts->writer) == SQLITE_OK);
	CHECK(unlink(facts->file) == 0);
	CHECK(rmdir(facts->dir) == 0); /* and the log is gone */
	below_end();
	test_free(facts);
	return 0;
}

static void what_did_not_change_is_read_once_by_all_readers(void **state)
{
	const struct facts *facts = *state;

	for (int i = 0; i < READERS; i++)
		CHECK(hand_number(facts->readers[i], "SELECT sum(value) FROM facts") == 0);
	below.page_reads = 0;
	for (int round = 1; round <= 10; round++) {
		set_value(facts->writer, 7, round);
		for (int i = 0; i < READERS; i++)
			CHECK(hand_number(facts->readers[i], "SELECT sum(value) FROM facts") ==
			      round);
	}
	/* all pages are thirty times as many; what was written is one or two each time */
	CHECK(below.page_reads < 100);
}

static int move(sqlite3 *db, int how)
{
	int in_log = 0, moved = 0;
	int code = sqlite3_wal_checkpoint_v2(db, NULL, how, &in_log, &moved);

	CHECK(code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED);
	return code;
}

/* Beside who has all in the database the log may begin anew: nothing says what his pages are of. */
static void who_reads_the_database_alone_is_given_what_the_file_has(void **state)
{
	const struct facts *facts = *state;
	int before;

	set_value(facts->writer, 7, 1);
	CHECK(move(facts->writer, SQLITE_CHECKPOINT_FULL) == SQLITE_OK);
	for (int i = 0; i < READERS; i++) {
		before = below.page_reads;
		CHECK(hand_number(facts->readers[i], "SELECT sum(value) FROM facts") == 1);
		CHECK(below.page_reads - before >= ROWS);
	}
}

/* A reader, and what it must see: what was there when it began to look. */
struct look {
	sqlite3 *db;
	bool is_on;
	int64_t values[ROWS];
};

static void look_or_let_go(struct look *look, const struct facts *facts)
{
	int row = rand() % ROWS;

	if (!look->is_on) {
		hand_run(look->db, "BEGIN");
		memcpy(look->values, facts->values, sizeof(look->values));
	}
	CHECK(value_of(look->db, row) == look->values[row]);
	look->is_on = rand() % 4 != 0;
	if (!look->is_on)
		hand_run(look->db, "COMMIT");
}

static void write_some(struct facts *facts, sqlite3 *db)
{
	bool is_kept = rand() % 5 != 0;

	hand_run(db, "BEGIN IMMEDIATE");
	for (int i = rand() % 20; i >= 0; i--) {
		int row = rand() % ROWS;
		int64_t value = rand();

		set_value(db, row, value);
		if (is_kept)
			facts->values[row] = value;
	}
	hand_run(db, is_kept ? "COMMIT" : "ROLLBACK");
}

static void act(struct facts *facts, struct look *looks)
{
	static const int ways[] = { SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_FULL,
				    SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE };
	sqlite3 *who = rand() % 3 == 0 ? facts->stranger : facts->writer;
	int what = rand() % 16;

	if (what < 6)
		write_some(facts, who);
	else if (what == 6)
		(void)move(who, ways[rand() % 4]);
	else
		look_or_let_go(&looks[rand() % READERS], facts);
}

/* Writers, checkpoints of all kinds and readers that hold on, in any order. */
static void readers_see_what_is_true_whatever_happens_beside_them(void **state)
{
	struct facts *facts = *state;
	struct look *looks = test_calloc(READERS, sizeof(*looks));
	unsigned seed = (unsigned)time(NULL);

	print_message("seed %u\n", seed);
	srand(seed);
	/* a reader that holds on may keep a checkpoint waiting */
	sqlite3_busy_timeout(facts->writer, 1);
	sqlite3_busy_timeout(facts->stranger, 1);
	/* so that what is not committed reaches the log, and is written over */
	hand_run(facts->writer, "PRAGMA cache_size=5");
	for (int i = 0; i < READERS; i++)
		looks[i].db = facts->readers[i];
	for (int i = 0; i < ROUNDS; i++)
		act(facts, looks);
	for (int i = 0; i < READERS; i++) {
		if (looks[i].is_on)
			hand_run(looks[i].db, "COMMIT");
		for (int row = 0; row < ROWS; row++)
			CHECK(value_of(looks[i].db, row) == facts->values[row]);
	}
	CHECK(hand_is_sound(facts->readers[0]));
	test_free(looks);
}

/* Each round's pages lie where other pages of the round before lay. */
static void a_log_that_begins_anew_is_another(void **state)
{
	const struct facts *facts = *state;

	for (int row = 0; row < 10; row++) {
		CHECK(move(facts->writer, SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK);
		set_value(facts->writer, row, 1);
		for (int i = 0; i < READERS; i++) {
			CHECK(value_of(facts->readers[i], row) == 1);
			CHECK(value_of(facts->readers[i], row + 1) == 0);
		}
	}
}

static void what_a_writer_takes_back_is_not_written_later(void **state)
{
	const struct facts *facts = *state;

	hand_run(facts->writer,
		 "PRAGMA cache_size=5; BEGIN; UPDATE facts SET value = -1; ROLLBACK");
	hand_run(facts->stranger, "UPDATE facts SET value = 1");
	hand_run(facts->writer, "UPDATE facts SET value = 2 WHERE id = 1");
	CHECK(hand_number(facts->stranger, "SELECT sum(value) FROM facts") == ROWS + 1);
	CHECK(move(facts->stranger, SQLITE_CHECKPOINT_FULL) == SQLITE_OK);
	CHECK(hand_is_sound(facts->stranger));
}

/* The writer reads what it gave up to the log; the same places are written anew. */
static void what_a_writer_takes_back_is_not_kept(void **state)
{
	const struct facts *facts = *state;

	hand_run(facts->writer, "PRAGMA cache_size=5");
	for (int round = 0; round < 3; round++) {
		hand_run(facts->writer, "BEGIN; UPDATE facts SET value = -1");
		CHECK(hand_number(facts->writer, "SELECT sum(value) FROM facts") == -ROWS);
		hand_run(facts->writer, "ROLLBACK");
		hand_run(facts->writer, round == 0 ? "UPDATE facts SET value = 1 WHERE id % 2"
						   : "UPDATE facts SET value = value + 1");
		for (int i = 0; i < READERS; i++)
			CHECK(hand_number(facts->readers[i], "SELECT sum(value) FROM facts") ==
			      hand_number(facts->stranger, "SELECT sum(value) FROM facts"));
	}
}

/* A database and its copy have one history, salts and all, until each is written to. */
static void a_copy_with_its_log_is_another_database(void **state)
{
	const struct facts *facts = *state;
	char copy[128];
	sqlite3 *writer, *reader;

	snprintf(copy, sizeof(copy), "%s/copy.db", facts->dir);
	hand_copy(facts->file, copy);
	set_value(facts->writer, 3, 1);
	CHECK(value_of(facts->readers[0], 3) == 1);
	writer = open_with(copy, sqlite_layer());
	reader = open_with(copy, sqlite_layer());
	CHECK(value_of(reader, 3) == 0);
	set_value(writer, 3, 2);
	CHECK(value_of(reader, 3) == 2);
	CHECK(value_of(facts->readers[1], 3) == 1);
	CHECK(sqlite3_close(reader) == SQLITE_OK);
	CHECK(sqlite3_close(writer) == SQLITE_OK);
	CHECK(unlink(copy) == 0);
}

static void a_database_that_keeps_no_log_is_read_as_it_is(void **state)
{
	const struct facts *facts = *state;
	char file[128];
	sqlite3 *reader, *writer;

	snprintf(file, sizeof(file), "%s/plain.db", facts->dir);
	writer = open_with(file, "unix");
	hand_run(writer, "CREATE TABLE facts (id INTEGER PRIMARY KEY, value INT);"
			 "INSERT INTO facts VALUES (1, 1)");
	reader = open_with(file, sqlite_layer());
	CHECK(value_of(reader, 1) == 1);
	set_value(writer, 1, 2);
	CHECK(value_of(reader, 1) == 2);
	CHECK(sqlite3_close(reader) == SQLITE_OK);
	CHECK(sqlite3_close(writer) == SQLITE_OK);
	CHECK(unlink(file) == 0);
}

static atomic_bool is_over;

/* Each commit sets all rows: a reader never sees two. */
static void *look_for_mixtures(void *db)
{
	while (!is_over)
		CHECK(hand_number(db, "SELECT min(value) = max(value) FROM facts") == 1);
	return NULL;
}

static void threads_share_pages_and_never_mix_commits(void **state)
{
	const struct facts *facts = *state;
	pthread_t threads[READERS];

	is_over = false;
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_create(&threads[i], NULL, look_for_mixtures, facts->readers[i]) == 0);
	for (int i = 1; i <= COMMITS; i++) {
		hand_run(facts->writer, "UPDATE facts SET value = value + 1");
		if (i % 7 == 0)
			(void)move(facts->writer, SQLITE_CHECKPOINT_PASSIVE);
	}
	is_over = true;
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(value_of(facts->readers[0], 1) == COMMITS);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	return RUN(CASE(what_did_not_change_is_read_once_by_all_readers),
		   CASE(who_reads_the_database_alone_is_given_what_the_file_has),
		   CASE(readers_see_what_is_true_whatever_happens_beside_them),
		   CASE(a_log_that_begins_anew_is_another),
		   CASE(what_a_writer_takes_back_is_not_written_later),
		   CASE(what_a_writer_takes_back_is_not_kept),
		   CASE(a_copy_with_its_log_is_another_database),
		   CASE(a_database_that_keeps_no_log_is_read_as_it_is),
		   CASE(threads_share_pages_and_never_mix_commits));
}
