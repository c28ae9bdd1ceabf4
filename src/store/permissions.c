/* SPDX-License-Identifier: Apache-2.0 */
#include "store/permissions.h"

#include <stdlib.h>

#include "base/task.h"
#include "store/rows.h"

static STATEMENT PERMISSION_PUT = {
	"INSERT INTO permissions (user_id, grant_id, scope, mode, expires_at, words, consent_event,"
	" granted_at, since_yes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	" ON CONFLICT (user_id, grant_id, scope) DO UPDATE SET mode = excluded.mode,"
	" expires_at = excluded.expires_at, words = excluded.words,"
	" consent_event = excluded.consent_event, granted_at = excluded.granted_at,"
	" since_yes = excluded.since_yes"
};
static STATEMENT PERMISSION_LIST = {
	"SELECT scope, mode, expires_at, words, consent_event, granted_at, since_yes"
	" FROM permissions WHERE user_id = $1 AND grant_id = $2"
};
static STATEMENT PERMISSIONS_SET_END = {
	"UPDATE permissions SET expires_at = $3 WHERE user_id = $1 AND grant_id = $2"
	" AND expires_at > $4"
};
static STATEMENT PERMISSION_SET_END = {
	"UPDATE permissions SET expires_at = $4 WHERE user_id = $1 AND grant_id = $2 AND scope = $3"
};
static STATEMENT PERMISSION_BEGIN_ANEW = {
	"UPDATE permissions SET since_yes = (SELECT g.yeses + 1 FROM grants g WHERE g.id = $2)"
	" WHERE user_id = $1 AND grant_id = $2 AND scope = $3"
};
static STATEMENT PERMISSION_DELETE = {
	"DELETE FROM permissions WHERE user_id = $1 AND grant_id = $2 AND scope = $3"
};

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
	permission->since_yes = row_int(row);
	return OK;
}

/* Oldest first. There are a few, and the database would make a table to sort them. */
static int by_age(const void *a, const void *b)
{
	const struct permission *one = a, *other = b;

	if (one->granted_at != other->granted_at)
		return one->granted_at < other->granted_at ? -1 : 1;
	return str_compare(one->scope, other->scope);
}

enum err grant_read_permissions(struct task *task, struct db *db, struct grant *grant)
{
	struct sql_list list = { .size = sizeof(struct permission), .read = read_permission };

	TRY(sql_all(task, db, &PERMISSION_LIST, ARGS(sql_text(grant->user_id), sql_text(grant->id)),
		    &list));
	grant->permissions = list.items;
	grant->permission_count = list.count;
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(struct permission), by_age);
	return OK;
}

enum err permission_put(struct task *task, struct db *db, const struct grant *grant,
			const struct permission *permission)
{
	return sql_exec(task, db, &PERMISSION_PUT,
			ARGS(sql_text(grant->user_id), sql_text(grant->id),
			     sql_text(permission->scope), sql_text(mode_name(permission->mode)),
			     sql_int(permission->expires_at), sql_text(permission->words),
			     sql_text(permission->consent_event), sql_int(permission->granted_at),
			     sql_int(permission->since_yes)),
			NULL);
}

static enum err change(struct task *task, struct db *db, const struct sql *sql,
		       struct sql_args args)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, sql, args, &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "the grant has no such permission");
	return OK;
}

enum err permission_set_end(struct task *task, struct db *db, const struct grant *grant,
			    struct str scope, int64_t expires_at)
{
	if (scope.at == NULL)
		return change(task, db, &PERMISSIONS_SET_END,
			      ARGS(sql_text(grant->user_id), sql_text(grant->id),
				   sql_int(expires_at), sql_int(grant->updated_at)));
	return change(task, db, &PERMISSION_SET_END,
		      ARGS(sql_text(grant->user_id), sql_text(grant->id), sql_text(scope),
			   sql_int(expires_at)));
}

enum err permission_begin_anew(struct task *task, struct db *db, const struct grant *grant,
			       struct str scope)
{
	return sql_exec(task, db, &PERMISSION_BEGIN_ANEW,
			ARGS(sql_text(grant->user_id), sql_text(grant->id), sql_text(scope)), NULL);
}

enum err permission_delete(struct task *task, struct db *db, const struct grant *grant,
			   struct str scope)
{
	return change(task, db, &PERMISSION_DELETE,
		      ARGS(sql_text(grant->user_id), sql_text(grant->id), sql_text(scope)));
}
