/* SPDX-License-Identifier: Apache-2.0 */
#include "store/retention.h"

#include "base/task.h"
#include "store/sql.h"

/* behind every id, for none has a byte above 'z' */
#define BEHIND_ALL STR("~")

static STATEMENT FAMILY_LAST = { "SELECT id FROM families WHERE id > $1"
				 " ORDER BY id LIMIT 1 OFFSET $2" };
static STATEMENT FAMILY_DELETE = { "DELETE FROM families WHERE id > $1 AND id <= $2"
				   " AND (revoked_at < $3 OR idle_expires_at < $3)" };
static STATEMENT GRANT_LAST = { "SELECT id FROM grants WHERE id > $1"
				" ORDER BY id LIMIT 1 OFFSET $2" };

#define GRANT_IS_OVER                                                                              \
	"g.id > $1 AND g.id <= $2 AND (g.revoked_at < $3 OR g.expires_at < $3)"                    \
	" AND (g.operator_paused_at IS NULL OR g.revoked_by = 'operator') AND NOT EXISTS"          \
	" (SELECT 1 FROM families f WHERE f.user_id = g.user_id AND f.grant_id = g.id)"

static STATEMENT PERMISSION_DELETE = { "DELETE FROM permissions WHERE (user_id, grant_id) IN"
				       " (SELECT g.user_id, g.id FROM grants g WHERE " GRANT_IS_OVER
				       ")" };
static STATEMENT GRANT_DELETE = {
	"DELETE FROM grants WHERE id IN (SELECT g.id FROM grants g WHERE " GRANT_IS_OVER ")"
};
static STATEMENT EVENT_FIRST_AT = { "SELECT at FROM events WHERE id > $1 ORDER BY id LIMIT 1" };
static STATEMENT EVENT_LAST = { "SELECT id FROM events WHERE id > $1"
				" ORDER BY id LIMIT 1 OFFSET $2" };
static STATEMENT EVENT_DELETE = {
	"DELETE FROM events WHERE id > $1 AND id <= $2 AND at < $3 AND NOT EXISTS"
	" (SELECT 1 FROM permissions p WHERE p.user_id = events.user_id"
	" AND p.grant_id = events.grant_id AND p.consent_event = events.id)"
};

static enum err read_id(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

/* How far the slice goes; it is the last one when it has fewer rows than it might. */
static enum err find_last(struct task *task, struct db *db, const struct sql *sql,
			  struct retention_slice *slice)
{
	enum err err = sql_one(task, db, sql,
			       ARGS(sql_text(slice->after), sql_int(slice->limit - 1)), read_id,
			       &slice->last);

	slice->is_end = err == ERR_NOT_FOUND;
	if (!slice->is_end)
		return err;
	task_forgive(task);
	slice->last = BEHIND_ALL;
	return OK;
}

static enum err delete_in(struct task *task, struct db *db, const struct sql *sql,
			  struct retention_slice *slice)
{
	return sql_exec(task, db, sql,
			ARGS(sql_text(slice->after), sql_text(slice->last), sql_int(slice->before)),
			&slice->deleted);
}

enum err retention_families(struct task *task, struct db *db, struct retention_slice *slice)
{
	TRY(find_last(task, db, &FAMILY_LAST, slice));
	return delete_in(task, db, &FAMILY_DELETE, slice);
}

enum err retention_grants(struct task *task, struct db *db, struct retention_slice *slice)
{
	TRY(find_last(task, db, &GRANT_LAST, slice));
	TRY(delete_in(task, db, &PERMISSION_DELETE, slice));
	return delete_in(task, db, &GRANT_DELETE, slice);
}

enum err retention_events(struct task *task, struct db *db, struct retention_slice *slice)
{
	int64_t first = INT64_MAX;
	enum err err = sql_one_int(task, db, &EVENT_FIRST_AT, ARGS(sql_text(slice->after)), &first);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	slice->is_end = first >= slice->before;
	slice->deleted = 0;
	if (slice->is_end)
		return OK;
	TRY(find_last(task, db, &EVENT_LAST, slice));
	return delete_in(task, db, &EVENT_DELETE, slice);
}
