/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "base/task.h"
#include "crypto/random.h"
#include "store/postgres.h"

#define BACK_OFF_MIN_MS 100
#define BACK_OFF_MAX_MS 2000
#define ALIVE_MS	900 /* since it answered somebody: less than anybody waits in vain */

/*
 * What stands before dbname is a default that the operator's URI may change; what follows it is
 * not. read-write: never a standby, whose answers are old, for reads either; of several hosts in
 * the URI libpq finds the one that is the primary.
 */
static const char *const keywords[] = {
	"application_name",
	"connect_timeout",
	"tcp_user_timeout",
	"keepalives_idle",
	"keepalives_interval",
	"keepalives_count",
	"dbname",
	"client_encoding",
	"target_session_attrs",
	NULL,
};

/* an acknowledged commit is on disk, whatever the server's default says */
#define DURABLE                                                                                    \
	"SELECT set_config('synchronous_commit', 'on', false)"                                     \
	" WHERE current_setting('synchronous_commit') = 'off';"                                    \
	"SET default_transaction_isolation = 'read committed';"

/*
 * wait_ms is for a server that does not even say that it gave up. Who asked is to be told within
 * two seconds, and is made to wait only once: a connection that was waited for in vain is gone, and
 * what is asked next is refused until it is time to look for another.
 */
static const struct {
	const char *settings;
	int64_t wait_ms;
} uses[] = {
	[DB_READ] = { "SET default_transaction_read_only = on; SET statement_timeout = 1700",
		      1800 },
	[DB_WRITE] = { DURABLE "SET statement_timeout = 1700;"
			       "SET idle_in_transaction_session_timeout = 10000",
		       1800 },
	[DB_MIGRATE] = { DURABLE "SET statement_timeout = 0", 12 * HOUR_MS },
};

void postgres_drop(struct postgres_db *db)
{
	if (db->connection != NULL)
		db->api->finish(db->connection);
	db->connection = NULL;
	memset(db->prepared, 0, db->prepared_count * sizeof(*db->prepared));
}

static void ignore_notice(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static void note_answer(const struct postgres_db *db)
{
	if (db->db.heard != NULL)
		atomic_store(db->db.heard, clock_monotonic());
}

static bool answers_others(const struct postgres_db *db)
{
	return db->db.heard != NULL && clock_monotonic() - atomic_load(db->db.heard) < ALIVE_MS;
}

static void back_off(struct postgres_db *db)
{
	int64_t wait = db->back_off * 2;

	if (wait < BACK_OFF_MIN_MS)
		wait = BACK_OFF_MIN_MS;
	if (wait > BACK_OFF_MAX_MS)
		wait = BACK_OFF_MAX_MS;
	db->back_off = wait;
	/* not all connections at the same instant */
	db->retry_at = clock_monotonic() + wait / 2 +
		       (int64_t)(random_u64() % (uint64_t)(wait / 2 + 1));
}

static enum err open_connection(struct task *task, struct postgres_db *db)
{
	const char *values[] = { "grantd", "2",	    "2000", "5",	  "2",
				 "3",	   db->uri, "UTF8", "read-write", NULL };

	db->connection = db->api->connect(keywords, values, 1);
	if (db->connection == NULL || db->api->status(db->connection) != CONNECTION_OK) {
		/* libpq's message names host, database and user, never the password */
		log_error(task, "store.unreachable",
			  LOG_STR("message",
				  str_from_c(db->connection == NULL
						     ? "no memory"
						     : db->api->error_message(db->connection))));
		return fail(task, ERR_STORE, "the database cannot be reached");
	}
	db->api->set_notice_processor(db->connection, ignore_notice, NULL);
	return postgres_run(task, db, uses[db->use].settings, NULL);
}

enum err postgres_connect(struct task *task, struct postgres_db *db)
{
	enum err err;

	if (db->connection != NULL)
		return OK;
	if (db->in_transaction)
		return fail(task, ERR_STORE, "the database was lost in the middle of this");
	if (clock_monotonic() < db->retry_at)
		return fail(task, ERR_STORE, "the database cannot be reached");
	err = open_connection(task, db);
	if (err != OK) {
		postgres_drop(db);
		back_off(db);
		return err;
	}
	if (db->back_off > 0)
		log_info(task, "store.reached");
	db->back_off = 0;
	db->is_late = false;
	return OK;
}

bool postgres_was_closed(const struct postgres_db *db)
{
	return db->connection == NULL && !db->is_late;
}

/*
 * The server ends sessions when it stops (57P), loses them (08), or tells a writer that it has
 * become a standby (25006): a new connection may find the right server. A failure without a state
 * is libpq's own (no memory for an answer), and what the server did is not known: it may have
 * prepared the statement that is taken for unprepared, and would refuse it from then on.
 */
static bool is_lost(const struct postgres_db *db, struct str state)
{
	return state.len == 0 || db->api->status(db->connection) != CONNECTION_OK ||
	       str_starts_with(state, STR("57P")) || str_starts_with(state, STR("08")) ||
	       (db->use != DB_READ && str_equals(state, STR("25006")));
}

static enum err judge_failure(struct task *task, struct postgres_db *db, const PGresult *result)
{
	struct str state = str_from_c(db->api->error_field(result, PG_DIAG_SQLSTATE));
	struct str message = str_from_c(db->api->error_field(result, PG_DIAG_MESSAGE_PRIMARY));

	db->is_conflict = str_equals(state, STR("40001")) || str_equals(state, STR("40P01"));
	if (!db->is_conflict)
		log_error(task, "store.failed",
			  LOG_STR("sqlstate", state.at == NULL ? STR("none") : state),
			  LOG_STR("message", message.at == NULL ? STR("none") : message));
	if (is_lost(db, state))
		postgres_drop(db);
	return fail(task, ERR_STORE, "the database could not do this");
}

static enum err lose(struct task *task, struct postgres_db *db, const char *why)
{
	log_error(task, "store.lost", LOG_STR("why", str_from_c(why)));
	postgres_drop(db);
	return fail(task, ERR_STORE, "the connection to the database was lost");
}

/*
 * The server may have done what was asked, so it is not asked again. If it answers nobody, those
 * who come next are not made to wait as long, one after another.
 */
static enum err give_up(struct task *task, struct postgres_db *db)
{
	db->is_late = true;
	if (!answers_others(db))
		back_off(db);
	return lose(task, db, "no answer in time");
}

/* A server that is frozen keeps its sockets open, so waiting has an end of its own. */
static enum err wait_readable(struct task *task, struct postgres_db *db, int64_t until)
{
	while (db->api->is_busy(db->connection)) {
		struct pollfd socket = { .fd = db->api->socket(db->connection), .events = POLLIN };
		int64_t left = until - clock_monotonic();

		if (left <= 0)
			return give_up(task, db);
		if (poll(&socket, 1, (int)left) > 0 && !db->api->consume_input(db->connection))
			return lose(task, db, "closed by the server");
	}
	return OK;
}

static bool is_success(ExecStatusType status)
{
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Of several results the last one counts; the first failure ends the sending anyway. */
enum err postgres_await(struct task *task, struct postgres_db *db, PGresult **ret_result)
{
	int64_t until = clock_monotonic() + uses[db->use].wait_ms;
	PGresult *last = NULL;
	enum err err = wait_readable(task, db, until);

	while (err == OK) {
		PGresult *next = db->api->get_result(db->connection);

		if (next == NULL)
			break;
		if (last != NULL)
			db->api->clear(last);
		last = next;
		err = wait_readable(task, db, until);
	}
	if (err == OK && last == NULL)
		err = lose(task, db, "no result");
	if (err == OK && is_success(db->api->result_status(last)))
		note_answer(db);
	else if (err == OK)
		err = judge_failure(task, db, last);
	if (err != OK && last != NULL)
		db->api->clear(last);
	if (err == OK)
		*ret_result = last;
	return err;
}

enum err postgres_run(struct task *task, struct postgres_db *db, const char *text,
		      struct str *ret_tag)
{
	PGresult *result = NULL;

	db->is_conflict = false;
	if (!db->api->send_query(db->connection, text))
		return lose(task, db, "could not send");
	TRY(postgres_await(task, db, &result));
	if (ret_tag != NULL)
		*ret_tag = str_copy(&task->arena, str_from_c(db->api->command_status(result)));
	db->api->clear(result);
	return OK;
}
