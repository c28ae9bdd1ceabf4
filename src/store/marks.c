/* SPDX-License-Identifier: Apache-2.0 */
#include "store/marks.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT MARK_FIND = { "SELECT value FROM marks WHERE name = $1" };
static STATEMENT MARK_RAISE = {
	"INSERT INTO marks (name, value) VALUES ($1, $2) ON CONFLICT (name)"
	" DO UPDATE SET value = excluded.value WHERE excluded.value > marks.value"
};
static STATEMENT MARK_STEP = {
	"INSERT INTO marks (name, value) VALUES ($1, $2) ON CONFLICT (name)"
	" DO UPDATE SET value = CASE WHEN excluded.value > marks.value THEN excluded.value"
	" ELSE marks.value + 1 END"
};

enum err mark_find(struct task *task, struct db *db, struct str name, int64_t *ret_at)
{
	int64_t at = 0;
	enum err err = sql_one_int(task, db, &MARK_FIND, ARGS(sql_text(name)), &at);

	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		err = OK;
	}
	if (err == OK)
		*ret_at = at;
	return err;
}

enum err mark_raise(struct task *task, struct db *db, struct str name, int64_t at)
{
	return sql_exec(task, db, &MARK_RAISE, ARGS(sql_text(name), sql_int(at)), NULL);
}

enum err mark_step(struct task *task, struct db *db, struct str name)
{
	return sql_exec(task, db, &MARK_STEP, ARGS(sql_text(name), sql_int(task->now)), NULL);
}
