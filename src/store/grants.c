/* SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

#include "base/task.h"
#include "store/ended.h"
#include "store/events.h"
#include "store/families.h"
#include "store/permissions.h"
#include "store/registrations.h"
#include "store/rows.h"
#include "store/widenings.h"

#define GRANT_SELECT "SELECT " GRANT_COLUMNS " FROM grants"

/*
 * The row is taken by the upsert, so that two answers at once take turns. A grant that the operator
 * paused is not shaken off by ending it and asking anew.
 */
static STATEMENT GRANT_PUT = {
	"INSERT INTO grants (id, user_id, client_id, resource, basis, created_at, updated_at,"
	" expires_at, yeses, delegates, operator_paused_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9,"
	" (SELECT CASE WHEN o.revoked_by = 'operator' THEN NULL ELSE o.operator_paused_at END"
	" FROM grants o WHERE o.user_id = $2 AND o.client_id = $3 AND o.resource = $4"
	" ORDER BY o.created_at DESC LIMIT 1))"
	" ON CONFLICT (user_id, client_id, resource) WHERE revoked_at IS NULL"
	" DO UPDATE SET updated_at = excluded.updated_at, yeses = grants.yeses + 1,"
	" delegates = excluded.delegates RETURNING " GRANT_COLUMNS ", yeses"
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
/* never back, whoever of its installations comes first */
static STATEMENT GRANT_USED = { "UPDATE grants SET last_used_at = $2 WHERE id = $1"
				" AND (last_used_at IS NULL OR last_used_at < $2)" };
static STATEMENT GRANT_TAKE = {
	"UPDATE grants SET updated_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING user_id"
};
static STATEMENT GRANT_TAKE_AS_IT_IS = { "SELECT created_at FROM grants WHERE id = $1" SQL_TAKING };

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

/* The row that a yes has made or added to, and how many yeses it has had with it. */
struct held {
	struct grant grant;
	int64_t yeses;
};

static enum err read_held(struct task *task, struct sql_row *row, void *ret)
{
	struct held *held = ret;

	TRY(row_grant(task, row, &held->grant));
	held->yeses = row_int(row);
	return OK;
}

static enum err fit_end(struct task *task, struct db *db, const struct grant *grant, int64_t now)
{
	return sql_exec(task, db, &GRANT_FIT_END,
			ARGS(sql_text(grant->user_id), sql_text(grant->id), sql_int(now)), NULL);
}

static enum err revoke_families(struct task *task, struct db *db, struct str id, int64_t now,
				struct str why)
{
	return sql_exec(task, db, &GRANT_REVOKE_FAMILIES,
			ARGS(sql_text(id), sql_int(now), sql_text(why)), NULL);
}

/*
 * What is over is over for the installations that had it, and a new yes is not for them: of a grant
 * whose end has passed for all of them, else for those that had what comes back.
 */
static enum err end_what_is_over(struct task *task, struct db *db, const struct grant *now,
				 const struct grant *yes)
{
	if (now->expires_at <= yes->updated_at)
		return revoke_families(task, db, now->id, yes->updated_at, STR("expired"));
	for (size_t i = 0; i < yes->permission_count; i++) {
		struct str scope = yes->permissions[i].scope;

		if (grant_permission_at(now, scope, yes->updated_at) == NULL)
			TRY(family_lose_scope(task, db, now->id, scope));
	}
	return OK;
}

/* Families before the grant, as a rotation and a revocation take them. */
static enum err make_way(struct task *task, struct db *db, const struct grant *yes)
{
	struct grant now = { 0 };
	enum err err = grant_find_live(task, db, yes->user_id, yes->client_id, yes->resource, &now);

	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	return end_what_is_over(task, db, &now, yes);
}

/* And once more when the grant is taken, for the family of a code that was redeemed in between. */
static enum err add_to(struct task *task, struct db *db, struct grant *now, const struct grant *yes)
{
	TRY(grant_read_permissions(task, db, now));
	TRY(end_what_is_over(task, db, now, yes));
	TRY(event_prove_until(task, db, now->user_id, now->id, yes->updated_at));
	for (size_t i = 0; i < yes->permission_count; i++) {
		struct str scope = yes->permissions[i].scope;

		if (grant_permission_at(now, scope, yes->updated_at) == NULL)
			TRY(widening_forget(task, db, now, scope));
	}
	return OK;
}

static enum err put_permissions(struct task *task, struct db *db, const struct held *held,
				const struct grant *yes)
{
	for (size_t i = 0; i < yes->permission_count; i++) {
		struct permission permission = yes->permissions[i];
		const struct permission *before =
			grant_permission_at(&held->grant, permission.scope, yes->updated_at);

		permission.since_yes = before == NULL ? held->yeses : before->since_yes;
		TRY(permission_put(task, db, &held->grant, &permission));
	}
	return OK;
}

enum err grant_put(struct task *task, struct db *db, const struct grant *grant, struct str *ret_id)
{
	struct held held = { 0 };

	/*
	 * first, for it takes the row: a removal of the unused client waits, and then sees the use
	 */
	TRY(registration_use(task, db, grant->client_id));
	TRY(make_way(task, db, grant));
	TRY(sql_one(task, db, &GRANT_PUT,
		    ARGS(sql_text(grant->id), sql_text(grant->user_id), sql_text(grant->client_id),
			 sql_text(grant->resource), sql_text(grant->basis),
			 sql_int(grant->created_at), sql_int(grant->updated_at),
			 sql_int(grant->expires_at),
			 sql_text(scope_text(&task->arena, grant->delegates))),
		    read_held, &held));
	if (held.yeses > 1)
		TRY(add_to(task, db, &held.grant, grant));
	TRY(put_permissions(task, db, &held, grant));
	TRY(fit_end(task, db, &held.grant, grant->updated_at));
	*ret_id = held.grant.id;
	return OK;
}

enum err grant_find_alone(struct task *task, struct db *db, struct str id, struct grant *ret_grant)
{
	return sql_one(task, db, &GRANT_FIND, ARGS(sql_text(id)), read_grant, ret_grant);
}

enum err grant_find(struct task *task, struct db *db, struct str id, struct grant *ret_grant)
{
	struct grant grant = { 0 };

	TRY(grant_find_alone(task, db, id, &grant));
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

enum err grant_note_use(struct task *task, struct db *db, const struct grant *grant, int64_t now)
{
	if (grant->last_used_at != 0 && now - grant->last_used_at <= MINUTE_MS)
		return OK;
	return sql_exec(task, db, &GRANT_USED, ARGS(sql_text(grant->id), sql_int(now)), NULL);
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
	TRY(revoke_families(task, db, id, now, why));
	TRY(sql_exec(task, db, &GRANT_REVOKE, ARGS(sql_text(id), sql_int(now), sql_text(by)),
		     &changed));
	TRY(revoke_families(task, db, id, now, why));
	if (changed > 0)
		ended_note(task, db, "grant", id, by);
	*ret_now = changed > 0;
	return OK;
}

/* The row first, so that a revocation cannot slip in between; *ret_taken says whose it is. */
static enum err take(struct task *task, struct db *db, struct str id, int64_t now,
		     struct grant *ret_taken)
{
	struct grant taken = { .id = id, .updated_at = now };
	enum err err = sql_one(task, db, &GRANT_TAKE, ARGS(sql_text(id), sql_int(now)), read_text,
			       &taken.user_id);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_CONFLICT, "the grant was revoked");
	TRY(err);
	*ret_taken = taken;
	return OK;
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
	struct grant grant = { 0 };

	TRY(take(task, db, id, now, &grant));
	TRY(permission_set_end(task, db, &grant, scope, expires_at));
	note_end(task, db, id, scope, expires_at);
	return fit_end(task, db, &grant, now);
}

enum err grant_remove_permission(struct task *task, struct db *db, struct str id, struct str scope,
				 int64_t now)
{
	struct grant grant = { 0 };

	/* in the order of grant_revoke, and twice as there */
	TRY(family_lose_scope(task, db, id, scope));
	TRY(take(task, db, id, now, &grant));
	TRY(family_lose_scope(task, db, id, scope));
	TRY(event_prove_until(task, db, grant.user_id, id, now));
	TRY(permission_delete(task, db, &grant, scope));
	TRY(widening_forget(task, db, &grant, scope));
	ended_note(task, db, "scope", id, scope);
	return fit_end(task, db, &grant, now);
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
