/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: SQLite by default, PostgreSQL by choice, behind one text of SQL. Reads use the connection
 * of the thread that owns the task. Writes are closures: on SQLite one writer thread runs up to 256
 * waiting ones in one transaction and commits once; when one of them refuses, all are taken back
 * and run again, with a SAVEPOINT each. On PostgreSQL a worker runs each in its own transaction and
 * again after 40001 and 40P01. So a closure begins with what was asked, never with what an earlier
 * run left in its argument, and tells nobody. Nothing is acknowledged before its commit. DESIGN 3.
 *
 * Rows are taken in one order, so that nodes seldom wait for each other in a circle: the person,
 * the installations of a grant (a refresh has its own before it knows more), the grant, what hangs
 * on the grant. Who has taken the grant looks for installations once more: until then a code may
 * have become one.
 *
 * The questions themselves are in one header per noun: users.h, grants.h, families.h, …
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/histogram.h"
#include "base/task.h"

struct store;
struct db; /* a connection, inside or outside a transaction */

#define STORE_RESERVE ((int64_t)16 * 1024 * 1024) /* what an installation holds back */
#define STORE_INSPECT ((int64_t)16 * 1024 * 1024) /* looked through at each start: 1 ms a MiB */

struct store_config {
	struct str database; /* "sqlite:/path/grantd.db" or a libpq "postgresql://…" URI */
	struct str ended;    /* the file of store/ended.h; STR_NONE: none is kept */
	unsigned threads;    /* how many threads may read: task.thread is below it */
	unsigned in_rounds;  /* the first so many of them call store_rest */
	unsigned pool;	     /* PostgreSQL: how many workers write; 0: 16 */
	unsigned queue;	     /* waiting writes at most; 0: 16,384 */
	int64_t reserve;     /* bytes of disk that SQLite holds back for stops; 0: none */
	int64_t inspect;     /* a SQLite database of so many bytes at most is looked through */
	bool settles_later;  /* the caller, with store_settle */
	struct clock *clock;
	struct log *log;
};

/*
 * Opens and checks the schema. ERR_CONFIG with what to do: no such database, schema older ("run
 * grantd migrate") or newer than this program, another process holds the SQLite lock file, a path
 * that cannot be written, a damaged file.
 */
MUST_CHECK enum err store_open(struct task *task, const struct store_config *config,
			       struct store **ret_store);
/*
 * Where the caller settles later, store_open returns as soon as it can be read. SQLite's connection
 * that writes is opened by this, or before by the first write, which fails if there will be none;
 * this waits for it, with store_open's errors. PostgreSQL's connect with the first write of each.
 */
MUST_CHECK enum err store_settle(struct task *task, struct store *store);
/* Waits for what is queued, checkpoints, closes. */
void store_free(struct store **store);

/*
 * Creates the database file or the tables that are missing; each step in a transaction of its own.
 */
MUST_CHECK enum err store_migrate(struct task *task, const struct store_config *config,
				  int *ret_from, int *ret_to);

/* True if reading may wait for a server (PostgreSQL): then LANE_STORE needs workers. */
bool store_may_block(const struct store *store);

/* True if other nodes may serve the same database (PostgreSQL). */
bool store_is_shared(const struct store *store);

/* The read connection of task->thread, opened at first use. ERR_STORE when the database is gone. */
MUST_CHECK enum err store_reader(struct task *task, struct store *store, struct db **ret_db);

/*
 * By a thread in rounds before it waits for anything but the key process. Until then SQLite may
 * show it one state of the database as long as nobody commits, so that many reads cost little more
 * than one; what is committed is seen at once, as by everybody.
 */
void store_rest(struct store *store, unsigned thread);

/*
 * A write. It may run more than once and touches nothing but the database and its own arg and task
 * memory. What it answers other than OK is rolled back and handed on; a refusal that must leave a
 * trace (reuse ends the family) is written, and answered through arg with OK. task->thread is not
 * valid inside.
 */
typedef enum err write_fn(struct task *task, struct db *db, void *arg);

/*
 * Parks the task; `then` gets the outcome after the commit, and arg. ERR_PARKED, or ERR_BUSY (queue
 * full).
 */
MUST_CHECK enum err store_submit(struct task *task, struct store *store, write_fn *fn, void *arg,
				 then_fn *then);
/* The waiting form, for rare pages, commands and jobs; never on a loop. */
MUST_CHECK enum err store_write(struct task *task, struct store *store, write_fn *fn, void *arg);

/*
 * As store_submit, for what costs a person a click and no more when a power cut takes it back: a
 * commit that is seen by all at once and outlives the process, but is not synced to the disk; the
 * next one of another kind syncs it too. Never for an event, a decision or what may be used once.
 */
MUST_CHECK enum err store_submit_relaxed(struct task *task, struct store *store, write_fn *fn,
					 void *arg, then_fn *then);

/*
 * The same two for what stops something: a revocation, a pause, a sign-out, the end of an
 * installation or of a person's access, with its event. When the disk of SQLite's database is full,
 * these are kept all the same, from space that is held in reserve for them; every other write is
 * ERR_FULL until there is space again, which is noticed without a restart (DESIGN 13). So what is
 * written this way must not let anybody in, and strangers must not be able to cause it at will.
 * PostgreSQL looks after its own disk: there they are as store_submit and store_write.
 */
MUST_CHECK enum err store_submit_stop(struct task *task, struct store *store, write_fn *fn,
				      void *arg, then_fn *then);
MUST_CHECK enum err store_stop(struct task *task, struct store *store, write_fn *fn, void *arg);

/* True for SQLite; *ret_path is borrowed. */
bool store_is_file(const struct store *store, struct str *ret_path);
/*
 * Takes a database for this process alone without opening it, also one that is not there yet.
 * ERR_CONFIG names the process that has it. On PostgreSQL nothing is taken.
 */
struct store_claim;
MUST_CHECK enum err store_claim(struct task *task, struct str database,
				struct store_claim **ret_claim);
void store_release(struct store_claim **claim);

/* ERR_CONFIG with what to do if less than STORE_RESERVE is held back. Changes nothing. */
MUST_CHECK enum err store_check_reserve(struct task *task, struct str database);

/* What the writer counts of itself, for /metrics. */
struct store_figures {
	uint64_t waiting; /* writes in the queue now */
	uint64_t room;
	uint64_t refused;	      /* because the queue was full */
	uint64_t failed;	      /* writes that the database did not keep */
	struct histogram_sum commits; /* from the start of a transaction to its commit */
};

void store_look(struct store *store, struct store_figures *ret_figures);

/*
 * One small read by a connection of its own, at most once a second in earnest: for /readyz.
 * ERR_STORE until it has settled; ERR_FULL while the disk is full.
 */
MUST_CHECK enum err store_ping(struct task *task, struct store *store);
