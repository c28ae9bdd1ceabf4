/* SPDX-License-Identifier: Apache-2.0 */
#include "store/retention.h"

#include "base/task.h"
#include "store/events.h"
#include "store/registrations.h"
#include "store/sql.h"

/* behind every id, for none has a byte above 'z' */
#define BEHIND_ALL STR("~")

static STATEMENT FAMILY_LAST = { "SELECT id FROM families WHERE id > $1"
				 " ORDER BY id LIMIT 1 OFFSET $2" };
static STATEMENT FAMILY_DELETE = { "DELETE FROM families WHERE id > $1 AND id <= $2"
				   " AND (revoked_at < $3 OR idle_expires_at < $3)" };
static STATEMENT FAMILY_DELETE_SUB_AGENTS = {
	"DELETE FROM sub_agents WHERE (user_id, family_id) IN (SELECT f.user_id, f.id"
	" FROM families f WHERE f.id > $1 AND f.id <= $2"
	" AND (f.revoked_at < $3 OR f.idle_expires_at < $3))"
};
/* what it was allowed by a consent of its own is in force no longer than it */
static STATEMENT FAMILY_PROVE = {
	"INSERT INTO proofs (user_id, event_id, proves_until)"
	" SELECT DISTINCT w.user_id, w.consent_event, CAST($3 AS BIGINT)"
	" FROM widenings w JOIN families f ON f.id = w.family_id"
	" WHERE f.id > $1 AND f.id <= $2 AND (f.revoked_at < $3 OR f.idle_expires_at < $3)"
	" ON CONFLICT (user_id, event_id) DO UPDATE SET proves_until = excluded.proves_until"
	" WHERE proofs.proves_until < excluded.proves_until"
};
static STATEMENT FAMILY_DELETE_WIDENINGS = {
	"DELETE FROM widenings WHERE (user_id, family_id) IN (SELECT f.user_id, f.id"
	" FROM families f WHERE f.id > $1 AND f.id <= $2"
	" AND (f.revoked_at < $3 OR f.idle_expires_at < $3))"
};
static STATEMENT GRANT_LAST = { "SELECT id FROM grants WHERE id > $1"
				" ORDER BY id LIMIT 1 OFFSET $2" };

/*
 * Taken first, by writing a value back: a consent that comes meanwhile has the row before us, and
 * then its grant is not over, or waits for us and makes a new one.
 */
static STATEMENT GRANT_TAKE_OVER = {
	"UPDATE grants SET basis = basis WHERE id > $1 AND id <= $2"
	" AND (revoked_at < $3 OR expires_at < $3)"
	" AND (operator_paused_at IS NULL OR revoked_by = 'operator') AND NOT EXISTS"
	" (SELECT 1 FROM families f WHERE f.user_id = grants.user_id AND f.grant_id = grants.id)"
	" RETURNING id, user_id, client_id, expires_at, revoked_at"
};
static STATEMENT PERMISSION_DELETE = { "DELETE FROM permissions WHERE user_id = $1"
				       " AND grant_id = $2" };
static STATEMENT GRANT_DELETE = { "DELETE FROM grants WHERE id = $1" };
static STATEMENT EVENT_FIRST_AT = { "SELECT at FROM events WHERE id > $1 ORDER BY id LIMIT 1" };
static STATEMENT EVENT_LAST = { "SELECT id FROM events WHERE id > $1"
				" ORDER BY id LIMIT 1 OFFSET $2" };
/* of those that EVENT_DELETE takes next; one that stays gets a new one when it ends */
static STATEMENT PROOF_DELETE = {
	"DELETE FROM proofs WHERE proves_until < $3 AND (user_id, event_id) IN"
	" (SELECT e.user_id, e.id FROM events e WHERE e.id > $1 AND e.id <= $2 AND e.at < $3)"
};
static STATEMENT EVENT_DELETE = {
	"DELETE FROM events WHERE id > $1 AND id <= $2 AND at < $3"
	" AND NOT EXISTS (SELECT 1 FROM proofs r WHERE r.user_id = events.user_id"
	" AND r.event_id = events.id AND r.proves_until >= $3) AND NOT EXISTS"
	" (SELECT 1 FROM permissions p WHERE p.user_id = events.user_id"
	" AND p.grant_id = events.grant_id AND p.consent_event = events.id) AND NOT EXISTS"
	" (SELECT 1 FROM widenings w WHERE w.user_id = events.user_id"
	" AND w.grant_id = events.grant_id AND w.consent_event = events.id)"
};

struct over {
	struct str id;
	struct str user_id;
	struct str client_id;
	int64_t expires_at;
	int64_t revoked_at; /* 0: it ran out */
};

static enum err read_id(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

static enum err read_over(struct task *task, struct sql_row *row, void *ret)
{
	struct over *over = ret;

	over->id = row_str(task, row);
	over->user_id = row_str(task, row);
	over->client_id = row_str(task, row);
	over->expires_at = row_int(row);
	over->revoked_at = row_int(row);
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

static enum err run_in(struct task *task, struct db *db, const struct sql *sql,
		       struct retention_slice *slice)
{
	return sql_exec(task, db, sql,
			ARGS(sql_text(slice->after), sql_text(slice->last), sql_int(slice->before)),
			&slice->deleted);
}

enum err retention_families(struct task *task, struct db *db, struct retention_slice *slice)
{
	TRY(find_last(task, db, &FAMILY_LAST, slice));
	TRY(run_in(task, db, &FAMILY_PROVE, slice));
	TRY(run_in(task, db, &FAMILY_DELETE_WIDENINGS, slice));
	TRY(run_in(task, db, &FAMILY_DELETE_SUB_AGENTS, slice));
	return run_in(task, db, &FAMILY_DELETE, slice);
}

static int64_t ended_at(const struct over *over)
{
	bool is_cut = over->revoked_at != 0 && over->revoked_at < over->expires_at;

	return is_cut ? over->revoked_at : over->expires_at;
}

static enum err delete_grant(struct task *task, struct db *db, const struct over *over)
{
	TRY(event_prove_until(task, db, over->user_id, over->id, ended_at(over)));
	TRY(sql_exec(task, db, &PERMISSION_DELETE,
		     ARGS(sql_text(over->user_id), sql_text(over->id)), NULL));
	TRY(sql_exec(task, db, &GRANT_DELETE, ARGS(sql_text(over->id)), NULL));
	return registration_leave(task, db, over->client_id, task->now);
}

enum err retention_grants(struct task *task, struct db *db, struct retention_slice *slice)
{
	struct sql_list list = { .size = sizeof(struct over), .read = read_over };
	const struct over *grants;

	TRY(find_last(task, db, &GRANT_LAST, slice));
	TRY(sql_all(task, db, &GRANT_TAKE_OVER,
		    ARGS(sql_text(slice->after), sql_text(slice->last), sql_int(slice->before)),
		    &list));
	grants = list.items;
	for (size_t i = 0; i < list.count; i++)
		TRY(delete_grant(task, db, &grants[i]));
	slice->deleted = (int64_t)list.count;
	return OK;
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
	TRY(run_in(task, db, &PROOF_DELETE, slice));
	return run_in(task, db, &EVENT_DELETE, slice);
}
