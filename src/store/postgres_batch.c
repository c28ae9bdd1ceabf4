/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction per closure. One that met a conflict (40001, 40P01), or a connection that was
 * closed before its commit was sent, left nothing behind and runs again; one whose time is up does
 * not, for who asked has waited long enough. Once COMMIT is sent and no answer comes, nobody knows:
 * ERR_STORE, and never again, for a refresh that was kept must not run twice.
 */
#include <time.h>

#include "base/log.h"
#include "base/task.h"
#include "crypto/random.h"
#include "store/ended.h"
#include "store/postgres.h"
#include "store/writer.h"

#define TRIES_MAX     8
#define JITTER_MIN_US 500

#define BEGIN_RELAXED "BEGIN; SET LOCAL synchronous_commit = off"

enum outcome { DONE, RUN_AGAIN };

static bool may_run_again(const struct postgres_db *db, bool was_connected)
{
	return db->is_conflict || (was_connected && postgres_was_closed(db));
}

static enum outcome commit(struct task *task, struct postgres_db *db, struct write *write)
{
	struct str tag = STR_NONE;

	write->result = postgres_run(task, db, "COMMIT", &tag);
	if (write->result == OK && str_equals(tag, STR("COMMIT")))
		return DONE;
	ended_unkept(task, &db->db);
	if (db->is_conflict)
		return RUN_AGAIN;
	if (db->connection == NULL)
		log_error(task, "store.outcome_unknown");
	/*
	 * the server answers "ROLLBACK" to the COMMIT of a transaction in which a statement failed
	 */
	write_fail_all(&write, 1);
	return DONE;
}

static void roll_back(struct task *task, struct postgres_db *db)
{
	if (db->connection != NULL && postgres_run(task, db, "ROLLBACK", NULL) != OK)
		postgres_drop(db);
}

static enum outcome run_in_transaction(struct task *task, struct postgres_db *db,
				       struct write *write)
{
	enum outcome outcome;

	write->result = write_run(write, &db->db);
	if (write->result == OK) {
		ended_keep(task, &db->db);
		return commit(task, db, write);
	}
	outcome = may_run_again(db, true) ? RUN_AGAIN : DONE;
	roll_back(task, db);
	return outcome;
}

static enum outcome run_once(struct task *task, struct postgres_db *db, struct write *write)
{
	bool was_connected = db->connection != NULL;
	enum outcome outcome;

	db->is_conflict = false;
	ended_back_to(&db->db, 0);
	write->result = postgres_connect(task, db);
	if (write->result == OK)
		write->result = postgres_run(task, db, write->is_relaxed ? BEGIN_RELAXED : "BEGIN",
					     NULL);
	if (write->result != OK) {
		write_fail_all(&write, 1);
		return may_run_again(db, was_connected) ? RUN_AGAIN : DONE;
	}
	db->in_transaction = true;
	outcome = run_in_transaction(task, db, write);
	db->in_transaction = false;
	return outcome;
}

/* Those who met must not meet again. */
static void sleep_a_little(unsigned tries)
{
	uint64_t most = (uint64_t)JITTER_MIN_US << tries;
	struct timespec time = { .tv_nsec = (long)(random_u64() % most + JITTER_MIN_US) * 1000 };

	nanosleep(&time, NULL);
}

static void run_until_done(struct task *task, struct postgres_db *db, struct write *write)
{
	for (unsigned tries = 0; run_once(task, db, write) == RUN_AGAIN; tries++) {
		if (tries == TRIES_MAX) {
			write_fail_all(&write, 1);
			return;
		}
		sleep_a_little(tries);
	}
}

void postgres_run_batch(struct task *task, struct db *db, struct write *const *batch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_until_done(task, (struct postgres_db *)db, batch[i]);
}
