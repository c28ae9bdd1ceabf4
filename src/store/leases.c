/* SPDX-License-Identifier: Apache-2.0 */
#include "store/leases.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT LEASE_TAKE = {
	"INSERT INTO leases (name, holder, ends_at, fence) VALUES ($1, $2, $3, 1)"
	" ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at = excluded.ends_at,"
	" fence = CASE WHEN leases.holder = excluded.holder THEN leases.fence"
	" ELSE leases.fence + 1 END"
	" WHERE leases.holder = excluded.holder OR leases.ends_at <= $4 RETURNING fence"
};

enum err lease_take(struct task *task, struct db *db, struct lease *lease, int64_t now)
{
	return sql_one_int(task, db, &LEASE_TAKE,
			   ARGS(sql_text(lease->name), sql_text(lease->holder),
				sql_int(lease->ends_at), sql_int(now)),
			   &lease->fence);
}
