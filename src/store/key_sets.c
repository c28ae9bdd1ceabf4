/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key_sets.h"

#include "base/task.h"
#include "store/sql.h"

/* nothing is put off for longer (authority/key_sets) */
#define DUE_MAX_MS (2 * HOUR_MS)

#define IS_OPERATORS "(c.kind = 'operator' OR d.pinned_at IS NOT NULL)"
#define FROM_WHOM                                                                                  \
	" FROM key_sets k JOIN clients c ON c.id = k.client_id"                                    \
	" LEFT JOIN documents d ON d.client_id = k.client_id"

static STATEMENT KEY_SET_WANT = {
	"INSERT INTO key_sets (client_id, uri, due_at) VALUES ($1, $2, $3)"
	" ON CONFLICT (client_id) DO UPDATE SET uri = excluded.uri,"
	" jwks = CASE WHEN key_sets.uri = excluded.uri THEN key_sets.jwks END,"
	" read_at = CASE WHEN key_sets.uri = excluded.uri THEN key_sets.read_at END,"
	/* tried_at stays: who names one address after the other is not read the sooner */
	" problem = CASE WHEN key_sets.uri = excluded.uri THEN key_sets.problem END,"
	" due_at = CASE WHEN key_sets.uri = excluded.uri AND excluded.due_at IS NULL"
	" THEN key_sets.due_at ELSE excluded.due_at END"
};
static STATEMENT KEY_SET_DELETE = { "DELETE FROM key_sets WHERE client_id = $1" };
static STATEMENT KEY_SET_FIND = {
	"SELECT k.client_id, k.uri, k.jwks, k.read_at, k.tried_at, k.due_at, k.problem,"
	" CASE WHEN " IS_OPERATORS " THEN 1 ELSE 0 END" FROM_WHOM " WHERE k.client_id = $1"
};
static STATEMENT KEY_SET_DUE = {
	"SELECT k.client_id, k.uri, k.due_at, CASE WHEN c.disabled_at IS NULL"
	" AND (" IS_OPERATORS " OR k.tried_at IS NULL OR EXISTS"
	" (SELECT 1 FROM grants g WHERE g.client_id = k.client_id AND g.revoked_at IS NULL)"
	" OR EXISTS (SELECT 1 FROM registrations r WHERE r.client_id = k.client_id"
	" AND r.register_token IS NOT NULL))"
	" THEN 1 ELSE 0 END,"
	" CASE WHEN " IS_OPERATORS " THEN 1 ELSE 0 END" FROM_WHOM
	/* what a clock that was ahead put off is due too */
	" WHERE k.due_at <= $1 OR k.due_at > $3 ORDER BY k.due_at LIMIT $2"
};
static STATEMENT KEY_SET_CLAIM = {
	"UPDATE key_sets SET tried_at = COALESCE($4, tried_at), due_at = $5"
	" WHERE client_id = $1 AND uri = $2 AND due_at = $3"
};
static STATEMENT KEY_SET_HURRY = { "UPDATE key_sets SET due_at = $3 WHERE client_id = $1"
				   " AND due_at > $3 AND COALESCE(tried_at, 0) <= $2"
				   " AND COALESCE(read_at, 0) <= $2" };
static STATEMENT KEY_SET_PUT = { "UPDATE key_sets SET jwks = $3, read_at = $4, due_at = $5,"
				 " problem = NULL WHERE client_id = $1 AND uri = $2"
				 " AND (COALESCE(read_at, 0) <= $4 OR read_at > $6)" };
static STATEMENT KEY_SET_PROBLEM = { "UPDATE key_sets SET problem = $3 WHERE client_id = $1"
				     " AND uri = $2" };

static enum err read_row(struct task *task, struct sql_row *row, void *ret)
{
	struct key_set_row *set = ret;

	set->client_id = row_str(task, row);
	set->uri = row_str(task, row);
	set->jwks = row_str(task, row);
	set->read_at = row_int(row);
	set->tried_at = row_int(row);
	set->due_at = row_int(row);
	set->problem = row_str(task, row);
	set->is_operators = row_int(row) != 0;
	return OK;
}

static enum err read_due(struct task *task, struct sql_row *row, void *ret)
{
	struct key_set_due *due = ret;

	due->client_id = row_str(task, row);
	due->uri = row_str(task, row);
	due->due_at = row_int(row);
	due->is_needed = row_int(row) != 0;
	due->is_operators = row_int(row) != 0;
	return OK;
}

enum err key_set_want(struct task *task, struct db *db, struct str client_id, struct str uri,
		      int64_t due_at)
{
	if (uri.at == NULL)
		return sql_exec(task, db, &KEY_SET_DELETE, ARGS(sql_text(client_id)), NULL);
	return sql_exec(task, db, &KEY_SET_WANT,
			ARGS(sql_text(client_id), sql_text(uri), sql_time(due_at)), NULL);
}

enum err key_set_find(struct task *task, struct db *db, struct str client_id,
		      struct key_set_row *ret_row)
{
	return sql_one(task, db, &KEY_SET_FIND, ARGS(sql_text(client_id)), read_row, ret_row);
}

enum err key_set_list_due(struct task *task, struct db *db, int64_t now, int64_t limit,
			  struct key_set_due **ret_list, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct key_set_due), .read = read_due };

	TRY(sql_all(task, db, &KEY_SET_DUE,
		    ARGS(sql_int(now), sql_int(limit), sql_int(now + DUE_MAX_MS)), &list));
	*ret_list = list.items;
	*ret_count = list.count;
	return OK;
}

enum err key_set_claim(struct task *task, struct db *db, const struct key_set_due *due,
		       int64_t tried_at, int64_t due_at, bool *ret_is_ours)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &KEY_SET_CLAIM,
		     ARGS(sql_text(due->client_id), sql_text(due->uri), sql_int(due->due_at),
			  sql_time(tried_at), sql_int(due_at)),
		     &changed));
	*ret_is_ours = changed > 0;
	return OK;
}

enum err key_set_hurry(struct task *task, struct db *db, struct str client_id, int64_t before,
		       int64_t now)
{
	return sql_exec(task, db, &KEY_SET_HURRY,
			ARGS(sql_text(client_id), sql_int(before), sql_int(now)), NULL);
}

enum err key_set_put(struct task *task, struct db *db, const struct key_set_row *row)
{
	return sql_exec(task, db, &KEY_SET_PUT,
			ARGS(sql_text(row->client_id), sql_text(row->uri), sql_text(row->jwks),
			     sql_int(row->read_at), sql_int(row->due_at),
			     sql_int(row->read_at + KEY_SET_SKEW_MS)),
			NULL);
}

enum err key_set_note_problem(struct task *task, struct db *db, const struct key_set_row *row)
{
	return sql_exec(task, db, &KEY_SET_PROBLEM,
			ARGS(sql_text(row->client_id), sql_text(row->uri), sql_text(row->problem)),
			NULL);
}
