/* SPDX-License-Identifier: Apache-2.0 */
#include "store/outbox.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT OUTBOX_INSERT = {
	"INSERT INTO outbox (id, kind, user_id, payload, due_at, attempts, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)"
};
/*
 * due_at is asked again outside: who waited for another's row lock finds it taken and goes away
 * empty
 */
static STATEMENT OUTBOX_TAKE = {
	"UPDATE outbox SET due_at = $2, attempts = attempts + 1 WHERE due_at <= $1 AND id ="
	" (SELECT o.id FROM outbox o WHERE o.due_at <= $1 ORDER BY o.due_at LIMIT 1)"
	" RETURNING id, kind, user_id, payload, due_at, attempts, created_at"
};
/* the oldest of those that are counted: enough to see that they are not going away */
static STATEMENT OUTBOX_BACKLOG = { "SELECT count(*), COALESCE(min(o.created_at), 0) FROM"
				    " (SELECT created_at FROM outbox ORDER BY due_at LIMIT $1) o" };
/* attempts is the fencing number: who was thought dead and comes back finds another one there */
static STATEMENT OUTBOX_DEFER = { "UPDATE outbox SET due_at = $3 WHERE id = $1 AND attempts = $2" };
static STATEMENT OUTBOX_DELETE = { "DELETE FROM outbox WHERE id = $1 AND attempts = $2" };

static enum err read_item(struct task *task, struct sql_row *row, void *ret)
{
	struct outbox_item *item = ret;

	item->id = row_str(task, row);
	item->kind = row_str(task, row);
	item->user_id = row_str(task, row);
	item->payload = row_str(task, row);
	item->due_at = row_int(row);
	item->attempts = row_int(row);
	item->created_at = row_int(row);
	return OK;
}

enum err outbox_insert(struct task *task, struct db *db, const struct outbox_item *item)
{
	return sql_exec(task, db, &OUTBOX_INSERT,
			ARGS(sql_text(item->id), sql_text(item->kind), sql_text(item->user_id),
			     sql_text(item->payload), sql_int(item->due_at),
			     sql_int(item->attempts), sql_int(item->created_at)),
			NULL);
}

struct backlog {
	int64_t count;
	int64_t oldest;
};

static enum err read_backlog(struct task *task, struct sql_row *row, void *ret)
{
	struct backlog *backlog = ret;

	(void)task;
	backlog->count = row_int(row);
	backlog->oldest = row_int(row);
	return OK;
}

enum err outbox_backlog(struct task *task, struct db *db, int64_t *ret_count, int64_t *ret_oldest)
{
	struct backlog backlog = { 0 };

	TRY(sql_one(task, db, &OUTBOX_BACKLOG, ARGS(sql_int(OUTBOX_COUNT_MAX)), read_backlog,
		    &backlog));
	*ret_count = backlog.count;
	*ret_oldest = backlog.oldest;
	return OK;
}

enum err outbox_take(struct task *task, struct db *db, int64_t now, int64_t retry_at,
		     struct outbox_item *ret_item)
{
	return sql_one(task, db, &OUTBOX_TAKE, ARGS(sql_int(now), sql_int(retry_at)), read_item,
		       ret_item);
}

enum err outbox_defer(struct task *task, struct db *db, const struct outbox_item *item,
		      int64_t due_at)
{
	return sql_exec(task, db, &OUTBOX_DEFER,
			ARGS(sql_text(item->id), sql_int(item->attempts), sql_int(due_at)), NULL);
}

enum err outbox_delete(struct task *task, struct db *db, const struct outbox_item *item,
		       bool *ret_deleted)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &OUTBOX_DELETE, ARGS(sql_text(item->id), sql_int(item->attempts)),
		     &changed));
	*ret_deleted = changed > 0;
	return OK;
}
