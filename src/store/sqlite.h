/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the SQLite driver share: one process, one writing connection, WAL with
 * synchronous=FULL (NORMAL for a batch of relaxed writes), checkpoints by the writer between
 * batches. A failed fsync ends the process: the pages may be gone from the cache and a retry would
 * lie (DESIGN 3).
 */
#pragma once

#include <sqlite3.h>

#include "store/driver.h"
#include "store/sqlite_reserve.h"

/*
 * How long a batch waits while another process holds the lock, and how long one that comes after a
 * batch that waited in vain: who asked is told within two seconds, also who queued up meanwhile.
 */
#define SQLITE_WRITER_WAITS_MS 1800
#define SQLITE_WHILE_HELD_MS   100

struct sqlite_statement {
	sqlite3_stmt *handle; /* NULL: not prepared yet */
	int places;
	uint8_t argument[SQL_ARGS_MAX]; /* which one belongs at each place */
};

struct sqlite_db {
	struct db db;
	sqlite3 *handle;
	struct sqlite_statement *prepared; /* by number of the statement */
	size_t prepared_count;
	int wal_pages;			/* after the last commit */
	int checkpoint_at;		/* pages that make the next attempt due */
	bool is_relaxed;		/* the next commit is not synced */
	bool is_held;			/* the last batch could not begin: somebody has the lock */
	int wary_batches;		/* to be run with a savepoint for each closure */
	const struct kept_pages *pages; /* NULL before the first read in rounds */
	struct sqlite_looks *looks;	/* of a reader in rounds */

	struct sqlite_reserve reserve; /* the writer's */
	bool met_full;		       /* since the batch began: no space for something */
	_Atomic bool is_full;	       /* only what stops something is kept; anybody may ask */
	/* monotonic: when it was last looked whether there is space */
	int64_t asked_at;
};

/* Notes, logs and answers what SQLite said; ends the process for a failed fsync. Never OK. */
enum err sqlite_fail(struct task *task, struct sqlite_db *db, int code);
enum err sqlite_execute(struct task *task, struct db *db, const char *text);

/*
 * Before each statement of a reader in rounds: begins a transaction if there is none, or if
 * somebody has committed since it began.
 */
enum err sqlite_look(struct task *task, struct sqlite_db *db);
void sqlite_rest(struct db *db);
/* By the writer: until nobody in this process looks at what he looks at now, 5 ms at most. */
void sqlite_await_looks(struct sqlite_db *db);
void sqlite_looks_free(struct sqlite_db *db);

/* Of pages that a reader has seen. */
#define SQLITE_READ_CACHE "PRAGMA cache_size=-48000"

/* ERR_CONFIG in place of what just failed when that was for damage. */
enum err sqlite_say_damage(struct task *task, struct sqlite_db *db, struct str path, enum err err);
/* ERR_CONFIG: it is damaged, and how; looked through only if it is not larger than that. */
enum err sqlite_inspect(struct task *task, struct db *db, struct str path, int64_t bytes_max);

/* The lock file beside the database. ERR_CONFIG names the process that holds it. */
enum err sqlite_claim(struct task *task, struct str path, bool create, void **ret_claim);
void sqlite_release(void **claim);

/*
 * After a batch: moves the WAL into the database when it has grown and no reader holds an old
 * snapshot.
 */
void sqlite_checkpoint(struct task *task, struct sqlite_db *db);
/* From now on only what stops something is kept, until space is found to be there again. */
void sqlite_note_full(struct task *task, struct sqlite_db *db);
/* Group commit. */
void sqlite_run_batch(struct task *task, struct db *db, struct write *const *batch, size_t count);
