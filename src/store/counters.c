/* SPDX-License-Identifier: Apache-2.0 */
#include "store/counters.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT COUNTER_ADD = {
	"INSERT INTO counters (name, window_at, used, last_at, expires_at)"
	" VALUES ($1, $2, 1, $3, $4) ON CONFLICT (name, window_at) DO UPDATE SET"
	" used = counters.used + excluded.used, last_at = excluded.last_at,"
	" expires_at = excluded.expires_at RETURNING used, last_at"
};
static STATEMENT COUNTER_GET = {
	"SELECT used, last_at FROM counters WHERE name = $1 AND window_at = $2"
};
static STATEMENT COUNTER_CLEAR = { "DELETE FROM counters WHERE name = $1" };
static STATEMENT COUNTER_SWEEP = {
	"DELETE FROM counters WHERE (name, window_at) IN (SELECT name, window_at FROM counters"
	" WHERE expires_at < $1 ORDER BY expires_at LIMIT $2) AND expires_at < $1"
};

static enum err read_count(struct task *task, struct sql_row *row, void *ret)
{
	struct counter *counter = ret;

	(void)task;
	counter->used = row_int(row);
	counter->last_at = row_int(row);
	return OK;
}

enum err counter_add(struct task *task, struct db *db, struct counter *counter, int64_t now,
		     int64_t expires_at)
{
	return sql_one(task, db, &COUNTER_ADD,
		       ARGS(sql_text(counter->name), sql_int(counter->window), sql_int(now),
			    sql_int(expires_at)),
		       read_count, counter);
}

enum err counter_get(struct task *task, struct db *db, struct counter *counter)
{
	enum err err;

	counter->used = counter->last_at = 0;
	err = sql_one(task, db, &COUNTER_GET,
		      ARGS(sql_text(counter->name), sql_int(counter->window)), read_count, counter);
	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return OK;
}

enum err counter_clear(struct task *task, struct db *db, struct str name)
{
	return sql_exec(task, db, &COUNTER_CLEAR, ARGS(sql_text(name)), NULL);
}

enum err counter_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
		       int64_t *ret_deleted)
{
	return sql_exec(task, db, &COUNTER_SWEEP, ARGS(sql_int(now), sql_int(limit)), ret_deleted);
}
