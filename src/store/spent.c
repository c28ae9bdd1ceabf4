/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spent.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT SPENT_TAKE = { "INSERT INTO spent (name, ends_at) VALUES ($1, $2)"
				" ON CONFLICT (name) DO UPDATE SET ends_at = excluded.ends_at"
				" WHERE spent.ends_at < $3" };
static STATEMENT SPENT_SWEEP = {
	"DELETE FROM spent WHERE name IN (SELECT name FROM spent WHERE ends_at < $1"
	" ORDER BY ends_at LIMIT $2) AND ends_at < $1"
};

enum err spent_take(struct task *task, struct db *db, const struct spent *spent, int64_t now)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &SPENT_TAKE,
		     ARGS(sql_blob(spent->name), sql_int(spent->ends_at), sql_int(now)), &changed));
	return changed > 0 ? OK : fail(task, ERR_CONFLICT, "it was used before");
}

enum err spent_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
		     int64_t *ret_deleted)
{
	return sql_exec(task, db, &SPENT_SWEEP, ARGS(sql_int(now), sql_int(limit)), ret_deleted);
}
