/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: the waiting closures run one after another in one transaction, each behind a
 * savepoint, so that the one that refuses is rolled back alone; then one fsync carries all. If that
 * fails, nobody is told that anything was kept.
 */
#include "base/log.h"
#include "base/task.h"
#include "store/sqlite.h"
#include "store/writer.h"

#define CHECKPOINT_PAGES 4000

static STATEMENT BEGIN = { "BEGIN IMMEDIATE" };
static STATEMENT COMMIT = { "COMMIT" };
static STATEMENT SAVE = { "SAVEPOINT closure" };
static STATEMENT KEEP = { "RELEASE closure" };
static STATEMENT UNDO = { "ROLLBACK TO closure" };

static enum err run(struct task *task, struct db *db, const struct sql *sql)
{
	return sql_exec(task, db, sql, NO_ARGS, NULL);
}

/* SQLite ends the whole transaction by itself on a full disk or a read error. */
static bool in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(((const struct sqlite_db *)db)->handle) == 0;
}

static enum err run_alone(struct task *task, struct db *db, struct write *write)
{
	TRY(run(task, db, &BEGIN));
	TRY(write_run(write, db));
	return run(task, db, &COMMIT);
}

static enum err run_saved(struct task *task, struct db *db, struct write *write)
{
	TRY(run(task, db, &SAVE));
	write->result = write_run(write, db);
	if (write->result != OK && in_transaction(db))
		TRY(run(task, db, &UNDO));
	if (!in_transaction(db))
		return fail(task, ERR_STORE, "the transaction was ended by an earlier failure");
	return run(task, db, &KEEP);
}

static enum err run_together(struct task *task, struct db *db, struct write *const *batch,
			     size_t count)
{
	TRY(run(task, db, &BEGIN));
	for (size_t i = 0; i < count; i++)
		TRY(run_saved(task, db, batch[i]));
	return run(task, db, &COMMIT);
}

static void end_transaction(struct task *task, struct db *db)
{
	if (in_transaction(db) && sqlite_execute(task, db, "ROLLBACK") != OK)
		log_error(task, "store.rollback_failed");
}

void sqlite_run_batch(struct task *task, struct db *db, struct write *const *batch, size_t count)
{
	enum err err;

	if (count == 1) {
		batch[0]->result = run_alone(task, db, batch[0]);
		if (batch[0]->result != OK)
			end_transaction(task, db);
	} else {
		err = run_together(task, db, batch, count);
		if (err != OK) {
			end_transaction(task, db);
			write_fail_all(batch, count);
		}
	}
	sqlite_checkpoint(task, (struct sqlite_db *)db);
}

/*
 * Passive: it waits for nobody. When a reader's old snapshot keeps pages from being moved, the next
 * attempt waits for as many pages again, so a long reader costs a longer log and not an attempt per
 * batch.
 */
void sqlite_checkpoint(struct task *task, struct sqlite_db *db)
{
	int in_log = 0;
	int moved = 0;
	int code;

	if (db->wal_pages < CHECKPOINT_PAGES)
		db->checkpoint_at = CHECKPOINT_PAGES;
	if (db->wal_pages < CHECKPOINT_PAGES || db->wal_pages < db->checkpoint_at)
		return;
	code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log,
					 &moved);
	db->checkpoint_at = db->wal_pages + CHECKPOINT_PAGES;
	if (code != SQLITE_OK && code != SQLITE_BUSY) {
		enum err err = sqlite_fail(task, db, code);
		(void)err; /* the commits stand in the log; the next attempt moves them */
	}
}
