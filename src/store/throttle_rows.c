/* SPDX-License-Identifier: Apache-2.0 */
#include "store/throttle_rows.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT THROTTLE_ADD = {
	"INSERT INTO throttles (name, used, ends_at) VALUES ($1, $2, $3)"
	" ON CONFLICT (name) DO UPDATE SET"
	" used = CASE WHEN throttles.ends_at <= $4 THEN excluded.used"
	" ELSE throttles.used + excluded.used END,"
	" ends_at = CASE WHEN throttles.ends_at <= $4 THEN excluded.ends_at"
	" ELSE throttles.ends_at END RETURNING used, ends_at"
};
static STATEMENT THROTTLE_SWEEP = {
	"DELETE FROM throttles WHERE name IN (SELECT name FROM throttles WHERE ends_at < $1"
	" ORDER BY ends_at LIMIT $2) AND ends_at < $1"
};

static enum err read_count(struct task *task, struct sql_row *sql_row, void *ret)
{
	struct throttle_row *row = ret;

	(void)task;
	row->used = row_int(sql_row);
	row->ends_at = row_int(sql_row);
	return OK;
}

enum err throttle_row_add(struct task *task, struct db *db, struct throttle_row *row, int64_t more,
			  int64_t now)
{
	return sql_one(
		task, db, &THROTTLE_ADD,
		ARGS(sql_text(row->name), sql_int(more), sql_int(row->ends_at), sql_int(now)),
		read_count, row);
}

enum err throttle_row_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
			    int64_t *ret_deleted)
{
	return sql_exec(task, db, &THROTTLE_SWEEP, ARGS(sql_int(now), sql_int(limit)), ret_deleted);
}
