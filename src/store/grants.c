/* SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

#include "base/task.h"
#include "store/ceilings.h"
#include "store/ended.h"
#include "store/events.h"
#include "store/registrations.h"
#include "store/rows.h"

#define GRANT_SELECT "SELECT " GRANT_COLUMNS " FROM grants"

/*
 * A grant whose end has passed is over for the installations it had: a new yes is not for them.
 * Families before the grant, as a rotation and a revocation take them, so that none of the three
 * deadlock.
 */
static STATEMENT GRANT_END_EXPIRED_FAMILIES = {
	"UPDATE families SET revoked_at = $4, revoked_why = 'expired'"
	" WHERE user_id = $1 AND revoked_at IS NULL AND grant_id IN (SELECT g.id FROM grants g"
	" WHERE g.user_id = $1 AND g.client_id = $2 AND g.resource = $3 AND g.revoked_at IS NULL"
	" AND g.expires_at <= $4)"
};

/*
 * The row is taken by the upsert, so that two answers at once take turns. A grant that the operator
 * paused is not shaken off by ending it and asking anew.
 */
static STATEMENT GRANT_PUT = {
	"INSERT INTO grants (id, user_id, client_id, resource, basis, created_at, updated_at,"
	" expires_at, delegates, operator_paused_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
	" (SELECT CASE WHEN o.revoked_by = 'operator' THEN NULL ELSE o.operator_paused_at END"
	" FROM grants o WHERE o.user_id = $2 AND o.client_id = $3 AND o.resource = $4"
	" ORDER BY o.created_at DESC LIMIT 1))"
	" ON CONFLICT (user_id, client_id, resource) WHERE revoked_at IS NULL"
	" DO UPDATE SET updated_at = excluded.updated_at, delegates = excluded.delegates"
	" RETURNING id"
};
static STATEMENT PERMISSION_PUT = {
	"INSERT INTO permissions (user_id, grant_id, scope, mode, expires_at, words, consent_event,"
	" granted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	" ON CONFLICT (user_id, grant_id, scope) DO UPDATE SET mode = excluded.mode,"
	" expires_at = excluded.expires_at, words = excluded.words,"
	" consent_event = excluded.consent_event, granted_at = excluded.granted_at"
};
static STATEMENT GRANT_FIT_END = {
	"UPDATE grants SET updated_at = $3, expires_at = COALESCE((SELECT max(p.expires_at)"
	" FROM permissions p WHERE p.user_id = $1 AND p.grant_id = $2), expires_at) WHERE id = $2"
};
static STATEMENT GRANT_FIND = { GRANT_SELECT " WHERE id = $1" };
static STATEMENT GRANT_FIND_LIVE = { GRANT_SELECT
				     " WHERE user_id = $1 AND client_id = $2 AND resource = $3"
				     " AND revoked_at IS NULL" };
static STATEMENT GRANT_COUNT_LIVE = {
	"SELECT count(*) FROM grants WHERE user_id = $1 AND client_id = $2 AND revoked_at IS NULL"
	" AND expires_at > $3"
};
static STATEMENT GRANT_LIST = { GRANT_SELECT " WHERE (created_at, id) < ($1, $2)"
					     " ORDER BY created_at DESC, id DESC LIMIT $3" };
static STATEMENT GRANT_LIST_USER = { GRANT_SELECT
				     " WHERE user_id = $1 AND (created_at, id) < ($2, $3)"
				     " ORDER BY created_at DESC, id DESC LIMIT $4" };
static STATEMENT GRANT_LIST_EXPIRED = {
	GRANT_SELECT " WHERE revoked_at IS NULL AND expires_at > $1 AND expires_at <= $2"
		     " ORDER BY expires_at LIMIT $3"
};
static STATEMENT GRANT_LIST_CLIENT = { GRANT_SELECT
				       " WHERE client_id = $1 AND revoked_at IS NULL AND id > $2"
				       " ORDER BY id LIMIT $3" };
static STATEMENT GRANT_CREATED_AT = { "SELECT created_at FROM grants WHERE id = $1" };
static STATEMENT PERMISSION_LIST = {
	"SELECT scope, mode, expires_at, words, consent_event, granted_at FROM permissions"
	" WHERE user_id = $1 AND grant_id = $2 ORDER BY granted_at, scope"
};
static STATEMENT GRANT_SET_PAUSED = {
	"UPDATE grants SET paused_at = $2, updated_at = $3 WHERE id = $1 AND revoked_at IS NULL"
};
static STATEMENT GRANT_SET_OPERATOR_PAUSED = {
	"UPDATE grants SET operator_paused_at = $2, updated_at = $3"
	" WHERE id = $1 AND revoked_at IS NULL"
};
static STATEMENT GRANT_PAUSE_ALL = {
	"UPDATE grants SET paused_at = $2, updated_at = $2 WHERE user_id = $1"
	" AND revoked_at IS NULL AND paused_at IS NULL AND expires_at > $2 RETURNING " GRANT_COLUMNS
};
static STATEMENT GRANT_REVOKE_FAMILIES = {
	"UPDATE families SET revoked_at = $2, revoked_why = $3"
	" WHERE user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1) AND grant_id = $1"
	" AND revoked_at IS NULL"
};
static STATEMENT GRANT_REVOKE = {
	"UPDATE grants SET revoked_at = $2, revoked_by = $3, updated_at = $2"
	" WHERE id = $1 AND revoked_at IS NULL"
};
static STATEMENT GRANT_TAKE = {
	"UPDATE grants SET updated_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING user_id"
};
/*
 * Writing a value back takes the row on PostgreSQL; on SQLite the writer is alone anyway. One that
 * no index has, or it would be written anew.
 */
static STATEMENT GRANT_TAKE_AS_IT_IS = {
	"UPDATE grants SET basis = basis WHERE id = $1 RETURNING created_at"
};
static STATEMENT PERMISSIONS_SET_END = {
	"UPDATE permissions SET expires_at = $3 WHERE user_id = $1 AND grant_id = $2"
	" AND expires_at > $4"
};
static STATEMENT PERMISSION_SET_END = {
	"UPDATE permissions SET expires_at = $4 WHERE user_id = $1 AND grant_id = $2 AND scope = $3"
};
static STATEMENT PERMISSION_DELETE = {
	"DELETE FROM permissions WHERE user_id = $1 AND grant_id = $2 AND scope = $3"
};

enum err row_grant(struct task *task, struct sql_row *row, struct grant *grant)
{
	grant->id = row_str(task, row);
	grant->user_id = row_str(task, row);
	grant->client_id = row_str(task, row);
	grant->resource = row_str(task, row);
	grant->basis = row_str(task, row);
	grant->created_at = row_int(row);
	grant->updated_at = row_int(row);
	grant->expires_at = row_int(row);
	grant->paused_at = row_int(row);
	grant->operator_paused_at = row_int(row);
	grant->restored_at = row_int(row);
	grant->revoked_at = row_int(row);
	grant->revoked_by = row_str(task, row);
	grant->last_used_at = row_int(row);
	return row_scope(task, row, &grant->delegates);
}

static enum err read_grant(struct task *task, struct sql_row *row, void *ret)
{
	return row_grant(task, row, ret);
}

static enum err read_text(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

static enum err read_permission(struct task *task, struct sql_row *row, void *ret)
{
	struct permission *permission = ret;

	permission->scope = row_str(task, row);
	if (mode_from_name(task, row_str(task, row), &permission->mode) != OK)
		return fail(task, ERR_STORE, "a permission in an unknown mode");
	permission->expires_at = row_int(row);
	permission->words = row_str(task, row);
	permission->consent_event = row_str(task, row);
	permission->granted_at = row_int(row);
	return OK;
}

enum err grant_read_permissions(struct task *task, struct db *db, struct grant *grant)
{
	struct sql_list list = { .size = sizeof(struct permission), .read = read_permission };

	TRY(sql_all(task, db, &PERMISSION_LIST, ARGS(sql_text(grant->user_id), sql_text(grant->id)),
		    &list));
	grant->permissions = list.items;
	grant->permission_count = list.count;
	return OK;
}

static enum err put_permission(struct task *task, struct db *db, const struct grant *grant,
			       struct str id, const struct permission *permission)
{
	return sql_exec(task, db, &PERMISSION_PUT,
			ARGS(sql_text(grant->user_id), sql_text(id), sql_text(permission->scope),
			     sql_text(mode_name(permission->mode)), sql_int(permission->expires_at),
			     sql_text(permission->words), sql_text(permission->consent_event),
			     sql_int(permission->granted_at)),
			NULL);
}

static enum err fit_end(struct task *task, struct db *db, struct str user_id, struct str id,
			int64_t now)
{
	return sql_exec(task, db, &GRANT_FIT_END,
			ARGS(sql_text(user_id), sql_text(id), sql_int(now)), NULL);
}

enum err grant_put(struct task *task, struct db *db, const struct grant *grant, struct str *ret_id)
{
	struct str id = STR_NONE;

	/*
	 * first, for it takes the row: a removal of the unused client waits, and then sees the use
	 */
	TRY(registration_use(task, db, grant->client_id));
	TRY(sql_exec(task, db, &GRANT_END_EXPIRED_FAMILIES,
		     ARGS(sql_text(grant->user_id), sql_text(grant->client_id),
			  sql_text(grant->resource), sql_int(grant->updated_at)),
		     NULL));
	TRY(ceilings_lose_over(task, db, grant));
	TRY(sql_one(task, db, &GRANT_PUT,
		    ARGS(sql_text(grant->id), sql_text(grant->user_id), sql_text(grant->client_id),
			 sql_text(grant->resource), sql_text(grant->basis),
			 sql_int(grant->created_at), sql_int(grant->updated_at),
			 sql_int(grant->expires_at),
			 sql_text(scope_text(&task->arena, grant->delegates))),
		    read_text, &id));
	TRY(event_prove_until(task, db, grant->user_id, id, grant->updated_at));
	for (size_t i = 0; i < grant->permission_count; i++) {
		TRY(widening_forget_over(task, db, id, grant->permissions[i].scope,
					 grant->updated_at));
		TRY(put_permission(task, db, grant, id, &grant->permissions[i]));
	}
	TRY(fit_end(task, db, grant->user_id, id, grant->updated_at));
	*ret_id = id;
	return OK;
}

enum err grant_find(struct task *task, struct db *db, struct str id, struct grant *ret_grant)
{
	struct grant grant = { 0 };

	TRY(sql_one(task, db, &GRANT_FIND, ARGS(sql_text(id)), read_grant, &grant));
	TRY(grant_read_permissions(task, db, &grant));
	*ret_grant = grant;
	return OK;
}

enum err grant_find_live(struct task *task, struct db *db, struct str user_id, struct str client_id,
			 struct str resource, struct grant *ret_grant)
{
	struct grant grant = { 0 };

	TRY(sql_one(task, db, &GRANT_FIND_LIVE,
		    ARGS(sql_text(user_id), sql_text(client_id), sql_text(resource)), read_grant,
		    &grant));
	TRY(grant_read_permissions(task, db, &grant));
	*ret_grant = grant;
	return OK;
}

enum err grant_is_there(struct task *task, struct db *db, struct str user_id, struct str client_id,
			bool *ret_is)
{
	int64_t count = 0;

	TRY(sql_one_int(task, db, &GRANT_COUNT_LIVE,
			ARGS(sql_text(user_id), sql_text(client_id), sql_int(task->now)), &count));
	*ret_is = count > 0;
	return OK;
}

static enum err list_grants(struct task *task, struct db *db, const struct sql *sql,
			    struct sql_args args, struct sql_list *list)
{
	struct grant *grants;

	list->size = sizeof(struct grant);
	list->read = read_grant;
	TRY(sql_all(task, db, sql, args, list));
	grants = list->items;
	for (size_t i = 0; i < list->count; i++)
		TRY(grant_read_permissions(task, db, &grants[i]));
	return OK;
}

enum err grant_list(struct task *task, struct db *db, const struct grant_page *page,
		    struct grant **ret_grants, size_t *ret_count)
{
	struct sql_list list = { 0 };
	struct str before = page->after.at == NULL ? STR("") : page->after;
	int64_t created_at = INT64_MAX;

	if (page->after.at != NULL)
		TRY(sql_one_int(task, db, &GRANT_CREATED_AT, ARGS(sql_text(page->after)),
				&created_at));
	if (page->user_id.at == NULL)
		TRY(list_grants(task, db, &GRANT_LIST,
				ARGS(sql_int(created_at), sql_text(before), sql_int(page->limit)),
				&list));
	else
		TRY(list_grants(task, db, &GRANT_LIST_USER,
				ARGS(sql_text(page->user_id), sql_int(created_at), sql_text(before),
				     sql_int(page->limit)),
				&list));
	*ret_grants = list.items;
	*ret_count = list.count;
	return OK;
}

enum err grant_list_expired(struct task *task, struct db *db, const struct grant_span *span,
			    struct grant **ret_grants, size_t *ret_count)
{
	struct sql_list list = { 0 };

	TRY(list_grants(task, db, &GRANT_LIST_EXPIRED,
			ARGS(sql_int(span->from), sql_int(span->to), sql_int(span->limit)), &list));
	*ret_grants = list.items;
	*ret_count = list.count;
	return OK;
}

static enum err set_pause(struct task *task, struct db *db, const struct sql *sql,
			  struct sql_args args)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, sql, args, &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "the grant was revoked");
	return OK;
}

enum err grant_set_paused(struct task *task, struct db *db, struct str id, int64_t paused_at,
			  int64_t now)
{
	return set_pause(task, db, &GRANT_SET_PAUSED,
			 ARGS(sql_text(id), sql_time(paused_at), sql_int(now)));
}

enum err grant_set_operator_paused(struct task *task, struct db *db, struct str id,
				   int64_t paused_at, int64_t now)
{
	TRY(set_pause(task, db, &GRANT_SET_OPERATOR_PAUSED,
		      ARGS(sql_text(id), sql_time(paused_at), sql_int(now))));
	ended_note(task, db, "held", id, str_printf(&task->arena, "%lld", (long long)paused_at));
	return OK;
}

enum err grant_pause_all(struct task *task, struct db *db, struct str user_id, int64_t now,
			 struct grant **ret_grants, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct grant), .read = read_grant };

	TRY(sql_all(task, db, &GRANT_PAUSE_ALL, ARGS(sql_text(user_id), sql_int(now)), &list));
	*ret_grants = list.items;
	*ret_count = list.count;
	return OK;
}

enum err grant_take(struct task *task, struct db *db, struct str id)
{
	int64_t created_at = 0;

	return sql_one_int(task, db, &GRANT_TAKE_AS_IT_IS, ARGS(sql_text(id)), &created_at);
}

/*
 * Families before the grant: a rotation takes them in this order too, so the two cannot deadlock.
 * And once more when the grant is taken, for the family of a code that was redeemed in between.
 */
enum err grant_revoke(struct task *task, struct db *db, struct str id, int64_t now, struct str by,
		      bool *ret_now)
{
	struct str why = STR_JOIN(&task->arena, STR("revoked_by_"), by);
	int64_t created_at = 0;
	int64_t changed = 0;

	TRY(sql_one_int(task, db, &GRANT_CREATED_AT, ARGS(sql_text(id)), &created_at));
	TRY(sql_exec(task, db, &GRANT_REVOKE_FAMILIES,
		     ARGS(sql_text(id), sql_int(now), sql_text(why)), NULL));
	TRY(sql_exec(task, db, &GRANT_REVOKE, ARGS(sql_text(id), sql_int(now), sql_text(by)),
		     &changed));
	TRY(sql_exec(task, db, &GRANT_REVOKE_FAMILIES,
		     ARGS(sql_text(id), sql_int(now), sql_text(why)), NULL));
	if (changed > 0)
		ended_note(task, db, "grant", id, by);
	*ret_now = changed > 0;
	return OK;
}

/* The row first, so that a revocation cannot slip in between. */
static enum err take(struct task *task, struct db *db, struct str id, int64_t now,
		     struct str *ret_user_id)
{
	enum err err = sql_one(task, db, &GRANT_TAKE, ARGS(sql_text(id), sql_int(now)), read_text,
			       ret_user_id);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_CONFLICT, "the grant was revoked");
	return err;
}

/* "EXPIRES_AT/SCOPE", without a scope for all. */
static void note_end(struct task *task, struct db *db, struct str id, struct str scope,
		     int64_t expires_at)
{
	ended_note(task, db, "end", id,
		   str_printf(&task->arena, "%lld/%.*s", (long long)expires_at, STR_FMT(scope)));
}

enum err grant_set_end(struct task *task, struct db *db, struct str id, struct str scope,
		       int64_t expires_at, int64_t now)
{
	struct str user_id = STR_NONE;
	int64_t changed = 0;

	TRY(take(task, db, id, now, &user_id));
	if (scope.at == NULL)
		TRY(sql_exec(
			task, db, &PERMISSIONS_SET_END,
			ARGS(sql_text(user_id), sql_text(id), sql_int(expires_at), sql_int(now)),
			&changed));
	else
		TRY(sql_exec(
			task, db, &PERMISSION_SET_END,
			ARGS(sql_text(user_id), sql_text(id), sql_text(scope), sql_int(expires_at)),
			&changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "the grant has no such permission");
	note_end(task, db, id, scope, expires_at);
	return fit_end(task, db, user_id, id, now);
}

enum err grant_remove_permission(struct task *task, struct db *db, struct str id, struct str scope,
				 int64_t now)
{
	struct str user_id = STR_NONE;
	int64_t changed = 0;

	/* in the order of grant_revoke, and twice as there */
	TRY(ceilings_lose(task, db, id, scope));
	TRY(take(task, db, id, now, &user_id));
	TRY(ceilings_lose(task, db, id, scope));
	TRY(event_prove_until(task, db, user_id, id, now));
	TRY(sql_exec(task, db, &PERMISSION_DELETE,
		     ARGS(sql_text(user_id), sql_text(id), sql_text(scope)), &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "the grant has no such permission");
	TRY(widening_forget_over(task, db, id, scope, now));
	ended_note(task, db, "scope", id, scope);
	return fit_end(task, db, user_id, id, now);
}

enum err grant_list_client(struct task *task, struct db *db, const struct client_page *page,
			   struct grant **ret_grants, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct grant), .read = read_grant };

	TRY(sql_all(task, db, &GRANT_LIST_CLIENT,
		    ARGS(sql_text(page->client_id), sql_text(page->after), sql_int(page->limit)),
		    &list));
	*ret_grants = list.items;
	*ret_count = list.count;
	return OK;
}
