/* SPDX-License-Identifier: Apache-2.0 */
#include "store/restoring.h"

#include "base/task.h"
#include "store/rows.h"

static STATEMENT PAUSE_GRANTS = {
	"UPDATE grants SET restored_at = $1, paused_at = COALESCE(paused_at, $1), updated_at = $1"
	" WHERE revoked_at IS NULL AND expires_at > $1"
};
static STATEMENT LIST_PAUSED = {
	"SELECT " GRANT_COLUMNS
	" FROM grants WHERE restored_at = $1 AND id > $2 ORDER BY id LIMIT $3"
};
static STATEMENT END_FAMILIES = {
	"UPDATE families SET revoked_at = $1, revoked_why = 'revoked_by_operator'"
	" WHERE revoked_at IS NULL"
};
static STATEMENT END_SESSIONS = {
	"UPDATE sessions SET ended_at = $1, over_at = $1 WHERE ended_at IS NULL AND expires_at > $1"
};
static STATEMENT DELETE_REQUESTS = { "DELETE FROM requests" };
static STATEMENT COUNT_CLIENTS = { "SELECT count(*) FROM clients" };
static STATEMENT COUNT_GRANTS = { "SELECT count(*) FROM grants" };
static STATEMENT COUNT_WITHOUT_KEY = {
	"SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM user_keys)"
};

/* What a restore that was not finished leaves: see authority/restore.c. */
static STATEMENT NEWEST_OTHER = {
	"SELECT at FROM events WHERE NOT (actor = 'operator' AND kind IN"
	" ('database.restored', 'grant.paused', 'keys.rotated', 'keys.compromised'))"
	" ORDER BY id DESC LIMIT 1"
};

static enum err read_grant(struct task *task, struct sql_row *row, void *ret)
{
	return row_grant(task, row, ret);
}

enum err restoring_pause_grants(struct task *task, struct db *db, int64_t now, int64_t *ret_paused)
{
	return sql_exec(task, db, &PAUSE_GRANTS, ARGS(sql_int(now)), ret_paused);
}

enum err restoring_list_paused(struct task *task, struct db *db, const struct restored_page *page,
			       struct grant **ret_grants, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct grant), .read = read_grant };

	TRY(sql_all(task, db, &LIST_PAUSED,
		    ARGS(sql_int(page->restored_at), sql_text(page->after), sql_int(page->limit)),
		    &list));
	*ret_grants = list.items;
	*ret_count = list.count;
	return OK;
}

enum err restoring_newest_other(struct task *task, struct db *db, int64_t *ret_at)
{
	enum err err = sql_one_int(task, db, &NEWEST_OTHER, NO_ARGS, ret_at);

	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	*ret_at = 0;
	return OK;
}

enum err restoring_end_families(struct task *task, struct db *db, int64_t now, int64_t *ret_ended)
{
	return sql_exec(task, db, &END_FAMILIES, ARGS(sql_int(now)), ret_ended);
}

enum err restoring_end_sessions(struct task *task, struct db *db, int64_t now)
{
	TRY(sql_exec(task, db, &END_SESSIONS, ARGS(sql_int(now)), NULL));
	return sql_exec(task, db, &DELETE_REQUESTS, NO_ARGS, NULL);
}

enum err restoring_count(struct task *task, struct db *db, int64_t *ret_clients,
			 int64_t *ret_grants, int64_t *ret_without_key)
{
	TRY(sql_one_int(task, db, &COUNT_CLIENTS, NO_ARGS, ret_clients));
	TRY(sql_one_int(task, db, &COUNT_GRANTS, NO_ARGS, ret_grants));
	return sql_one_int(task, db, &COUNT_WITHOUT_KEY, NO_ARGS, ret_without_key);
}
