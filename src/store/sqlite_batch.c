/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: the waiting closures run one after another in one transaction, then one fsync
 * carries all. If that fails, nobody is told that anything was kept. When one of them refuses, all
 * run again, each behind a savepoint, so that it is rolled back alone. If it failed because the
 * disk is full, what stops something is run again alone, on space from the reserve.
 */
#include <stdatomic.h>

#include "base/log.h"
#include "base/task.h"
#include "store/ended.h"
#include "store/sqlite.h"
#include "store/writer.h"

#define CHECKPOINT_PAGES 4000
#define BATCH		 256
#define WARY_BATCHES	 16
#define ASK_EVERY_MS	 SECOND_MS /* whether a full disk has space again */

static STATEMENT BEGIN = { "BEGIN IMMEDIATE" };
static STATEMENT COMMIT = { "COMMIT" };
static STATEMENT SAVE = { "SAVEPOINT closure" };
static STATEMENT KEEP = { "RELEASE closure" };
static STATEMENT UNDO = { "ROLLBACK TO closure" };

static enum err run(struct task *task, struct db *db, const struct sql *sql)
{
	return sql_exec(task, db, sql, NO_ARGS, NULL);
}

/* The only statement that waits for another process: an operator's shell. */
static enum err begin(struct task *task, struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	enum err err = run(task, base, &BEGIN);
	bool is_held = err != OK && (sqlite3_errcode(db->handle) & 0xFF) == SQLITE_BUSY;

	if (is_held != db->is_held)
		sqlite3_busy_timeout(db->handle,
				     is_held ? SQLITE_WHILE_HELD_MS : SQLITE_WRITER_WAITS_MS);
	db->is_held = is_held;
	return err;
}

/* SQLite ends the whole transaction by itself on a full disk or a read error. */
static bool in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(((const struct sqlite_db *)db)->handle) == 0;
}

static enum err commit(struct task *task, struct db *db)
{
	enum err err;

	ended_keep(task, db);
	err = run(task, db, &COMMIT);
	if (err != OK)
		ended_unkept(task, db);
	return err;
}

static enum err run_alone(struct task *task, struct db *db, struct write *write)
{
	TRY(begin(task, db));
	TRY(write_run(write, db));
	return commit(task, db);
}

/* What came behind it would be kept at once, and by itself. */
static enum err check_transaction(struct task *task, const struct db *db)
{
	if (in_transaction(db))
		return OK;
	return fail(task, ERR_STORE, "the transaction was ended by an earlier failure");
}

/* What refuses, if one of them does, is the first whose result is not OK. */
static enum err run_bare(struct task *task, struct db *db, struct write *const *batch, size_t count)
{
	TRY(begin(task, db));
	for (size_t i = 0; i < count; i++) {
		TRY(batch[i]->result = write_run(batch[i], db));
		TRY(check_transaction(task, db));
	}
	return commit(task, db);
}

static enum err run_saved(struct task *task, struct db *db, struct write *write)
{
	size_t mark = ended_mark(db);

	TRY(run(task, db, &SAVE));
	write->result = write_run(write, db);
	if (write->result != OK && in_transaction(db)) {
		ended_back_to(db, mark);
		TRY(run(task, db, &UNDO));
	}
	TRY(check_transaction(task, db));
	return run(task, db, &KEEP);
}

static enum err run_each_saved(struct task *task, struct db *db, struct write *const *batch,
			       size_t count)
{
	TRY(begin(task, db));
	for (size_t i = 0; i < count; i++)
		TRY(run_saved(task, db, batch[i]));
	return commit(task, db);
}

static void end_transaction(struct task *task, struct db *db)
{
	ended_back_to(db, 0);
	if (in_transaction(db) && sqlite_execute(task, db, "ROLLBACK") != OK)
		log_error(task, "store.rollback_failed");
}

/* In WAL a commit with NORMAL leaves the sync to the next one with FULL, or to the checkpoint. */
static enum err choose_sync(struct task *task, struct sqlite_db *db, struct write *const *batch,
			    size_t count)
{
	bool is_relaxed = true;

	for (size_t i = 0; i < count; i++)
		is_relaxed = is_relaxed && batch[i]->is_relaxed;
	if (db->is_relaxed == is_relaxed)
		return OK;
	TRY(sqlite_execute(task, &db->db,
			   is_relaxed ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL"));
	db->is_relaxed = is_relaxed;
	return OK;
}

static bool has_refusal(struct write *const *batch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (batch[i]->result != OK)
			return true;
	return false;
}

/*
 * A savepoint costs a copy of each page that is changed behind it, and hardly anybody refuses.
 * Where one did, others will: the next batches do not try it without.
 */
static enum err run_together(struct task *task, struct sqlite_db *sqlite,
			     struct write *const *batch, size_t count)
{
	struct db *db = &sqlite->db;
	enum err err;

	for (size_t i = 0; i < count; i++)
		batch[i]->result = OK;
	if (sqlite->wary_batches > 0) {
		sqlite->wary_batches--;
		return run_each_saved(task, db, batch, count);
	}
	err = run_bare(task, db, batch, count);
	if (!has_refusal(batch, count))
		return err;
	sqlite->wary_batches = WARY_BATCHES;
	end_transaction(task, db);
	return run_each_saved(task, db, batch, count);
}

static void run_all(struct task *task, struct sqlite_db *sqlite, struct write *const *batch,
		    size_t count)
{
	struct db *db = &sqlite->db;
	enum err err = choose_sync(task, sqlite, batch, count);

	sqlite->met_full = false;
	if (err == OK && count == 1) {
		batch[0]->result = run_alone(task, db, batch[0]);
		if (batch[0]->result != OK)
			end_transaction(task, db);
		return;
	}
	if (err == OK)
		err = run_together(task, sqlite, batch, count);
	if (err == OK)
		return;
	end_transaction(task, db);
	write_fail_all(batch, count);
}

void sqlite_note_full(struct task *task, struct sqlite_db *db)
{
	if (atomic_exchange(&db->is_full, true))
		return;
	db->asked_at = clock_monotonic();
	db->checkpoint_at = 0;
	log_error(task, "store.full",
		  LOG_STR("why", STR("the disk is full: until there is space again, only what "
				     "stops something is kept")),
		  LOG_INT("reserve", db->reserve.held));
}

static bool is_still_full(struct task *task, struct sqlite_db *db)
{
	int64_t now = clock_monotonic();

	if (!atomic_load(&db->is_full))
		return false;
	if (now - db->asked_at < ASK_EVERY_MS)
		return true;
	db->asked_at = now;
	if (!sqlite_reserve_refill(&db->reserve))
		return true;
	atomic_store(&db->is_full, false);
	log_warning(task, "store.space_back", LOG_INT("reserve", db->reserve.held));
	return false;
}

/* Of those who had no space, who stops something; the others are refused. */
static size_t pick_stops(struct write *const *batch, size_t count, struct write **stops)
{
	size_t stop_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (batch[i]->result != ERR_STORE && batch[i]->result != ERR_FULL)
			continue;
		if (batch[i]->is_stop)
			stops[stop_count++] = batch[i];
		else
			write_refuse_all(&batch[i], 1);
	}
	return stop_count;
}

/* As long as there is something in reserve. What is left at the end was refused like the others. */
static void run_stops(struct task *task, struct sqlite_db *db, struct write *const *batch,
		      size_t count)
{
	struct write *stops[BATCH];
	size_t left = pick_stops(batch, count, stops);

	while (left > 0) {
		run_all(task, db, stops, left);
		left = db->met_full ? pick_stops(stops, left, stops) : 0;
		if (left == 0)
			return;
		write_refuse_all(stops, left);
		if (!sqlite_reserve_give(&db->reserve)) {
			log_error(task, "store.reserve_spent");
			return;
		}
		log_warning(task, "store.reserve_used", LOG_INT("left", db->reserve.held));
	}
}

void sqlite_run_batch(struct task *task, struct db *base, struct write *const *batch, size_t count)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	if (is_still_full(task, db))
		write_refuse_all(batch, count);
	else
		run_all(task, db, batch, count);
	if (db->met_full)
		sqlite_note_full(task, db);
	if (atomic_load(&db->is_full))
		run_stops(task, db, batch, count);
	sqlite_checkpoint(task, db);
}

/*
 * On a full disk after each batch that left something in the log, for what is moved makes room
 * there for the next stop; one that was refused leaves nothing, and must not cost an attempt.
 */
static bool is_checkpoint_due(struct sqlite_db *db)
{
	if (atomic_load(&db->is_full))
		return db->wal_pages > 0 && db->wal_pages >= db->checkpoint_at;
	if (db->wal_pages < CHECKPOINT_PAGES)
		db->checkpoint_at = CHECKPOINT_PAGES;
	return db->wal_pages >= CHECKPOINT_PAGES && db->wal_pages >= db->checkpoint_at;
}

/*
 * Passive: it waits for nobody but our own rounds, which are short, and of which there is always
 * one under load: before, so that all can be moved; behind, so that the next commit finds nobody in
 * the log and begins it anew. When an old state that somebody else looks at keeps pages from being
 * moved, the next attempt comes after as many pages again, so a long reader costs a longer log and
 * not an attempt per batch.
 */
void sqlite_checkpoint(struct task *task, struct sqlite_db *db)
{
	int in_log = 0;
	int moved = 0;
	int code;

	if (!is_checkpoint_due(db))
		return;
	sqlite_await_looks(db);
	code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log,
					 &moved);
	db->checkpoint_at = db->wal_pages + (atomic_load(&db->is_full) ? 1 : CHECKPOINT_PAGES);
	if (code == SQLITE_OK && in_log == moved) {
		sqlite_await_looks(db);
		db->wal_pages = 0; /* the next commit begins the log anew, and says so */
	}
	if (code != SQLITE_OK && code != SQLITE_BUSY) {
		enum err err = sqlite_fail(task, db, code);
		(void)err; /* the commits stand in the log; the next attempt moves them */
	}
}
