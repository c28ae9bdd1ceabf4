/* SPDX-License-Identifier: Apache-2.0 */
#include "store/families.h"

#include "base/task.h"
#include "store/ended.h"
#include "store/rows.h"

#define FAMILY_COLUMNS                                                                             \
	"id, user_id, grant_id, client_id, ceiling, key_thumbprint, seed, root_number,"            \
	" root_since, root_before, generation, rotation_window, repeats, repeats_day, auth_time,"  \
	" acr, created_at, last_used_at, idle_expires_at, revoked_at, revoked_why, details,"       \
	" paused_at, seen_mark"

static STATEMENT FAMILY_INSERT = { "INSERT INTO families (" FAMILY_COLUMNS ", sealed_first"
				   ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
				   " $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,"
				   " $23, $24, $25)" };
static STATEMENT FAMILY_FIND = { "SELECT " FAMILY_COLUMNS " FROM families WHERE id = $1" };
static STATEMENT FAMILY_ROTATE = {
	"UPDATE families SET generation = $2, rotation_window = $3, last_used_at = $4,"
	" idle_expires_at = $5 WHERE id = $1 AND generation = $6 AND revoked_at IS NULL"
	" AND paused_at IS NULL"
};
/* apart from the above: a column that is named there has its index written at each refresh */
static STATEMENT FAMILY_SET_ROOT = {
	"UPDATE families SET root_number = $2, root_since = $3, root_before = $4 WHERE id = $1"
};
static STATEMENT FAMILY_SET_KEY = { "UPDATE families SET key_thumbprint = $2 WHERE id = $1" };
static STATEMENT FAMILY_TAKE = { "SELECT " FAMILY_COLUMNS
				 " FROM families WHERE id = $1" SQL_TAKING };
static STATEMENT FAMILY_TAKE_LIVE = { "SELECT revoked_at FROM families WHERE id = $1" SQL_TAKING };
static STATEMENT FAMILY_TAKE_ALL = {
	"SELECT " FAMILY_COLUMNS " FROM families"
	" WHERE user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1) AND grant_id = $1"
	" AND revoked_at IS NULL" SQL_TAKING
};
/* a ceiling is kept as names joined by single spaces, each once; $2 is the one that goes */
#define NAMES_IN   "' ' || ceiling || ' '"
#define WITHOUT_IT "replace(" NAMES_IN ", ' ' || CAST($2 AS TEXT) || ' ', ' ')"
static STATEMENT FAMILY_LOSE_SCOPE = {
	"UPDATE families SET ceiling = trim(" WITHOUT_IT ") WHERE revoked_at IS NULL"
	" AND " NAMES_IN " <> " WITHOUT_IT
	" AND user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1) AND grant_id = $1"
};
static STATEMENT FAMILY_SET_REPEATS = {
	"UPDATE families SET repeats = $2, repeats_day = $3 WHERE id = $1"
};
static STATEMENT FAMILY_REVOKE = {
	"UPDATE families SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL"
};
/* a pause says what stays of the rest; a name and a place are no part of what a refresh changes */
static STATEMENT FAMILY_SET_PAUSED = {
	"UPDATE families SET paused_at = $2 WHERE id = $1 AND revoked_at IS NULL"
};
static STATEMENT FAMILY_SET_CEILING = {
	"UPDATE families SET ceiling = $2, details = $3 WHERE id = $1 AND revoked_at IS NULL"
};
static STATEMENT FAMILY_SET_SEEN = {
	"UPDATE families SET seen_mark = $2, sealed_last = $3, seen_at = $4 WHERE id = $1"
};
static STATEMENT FAMILY_SET_NAME = {
	"UPDATE families SET sealed_name = $2, named_at = $3 WHERE id = $1"
	" AND revoked_at IS NULL"
};
static STATEMENT FAMILY_FIND_ABOUT = {
	"SELECT id, sealed_first, sealed_last, seen_at, sealed_name, named_at FROM families"
	" WHERE id = $1"
};
static STATEMENT FAMILY_LIST = {
	"SELECT " FAMILY_COLUMNS " FROM families"
	" WHERE user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1) AND grant_id = $1"
	" ORDER BY created_at DESC, id DESC"
};

static STATEMENT FAMILY_LIST_LIVE = {
	"SELECT " FAMILY_COLUMNS " FROM families"
	" WHERE user_id = (SELECT g.user_id FROM grants g WHERE g.id = $1) AND grant_id = $1"
	" AND revoked_at IS NULL AND idle_expires_at > $2"
	" ORDER BY created_at DESC, id DESC LIMIT $3"
};

enum err row_family(struct task *task, struct sql_row *row, struct family *family)
{
	family->id = row_str(task, row);
	family->user_id = row_str(task, row);
	family->grant_id = row_str(task, row);
	family->client_id = row_str(task, row);
	TRY(row_scope(task, row, &family->ceiling));
	family->key_thumbprint = row_str(task, row);
	family->seed = row_str(task, row);
	family->root_number = (uint32_t)row_int(row);
	family->root_since = row_int(row);
	family->root_before = (uint32_t)row_int(row);
	family->generation = row_int(row);
	TRY(rotation_marks_decode(task, row_str(task, row), family));
	family->repeats = row_int(row);
	family->repeats_day = row_int(row);
	family->auth_time = row_int(row);
	family->acr = row_str(task, row);
	family->created_at = row_int(row);
	family->last_used_at = row_int(row);
	family->idle_expires_at = row_int(row);
	family->revoked_at = row_int(row);
	family->revoked_why = row_str(task, row);
	TRY(row_details(task, row, &family->details));
	family->paused_at = row_int(row);
	family->seen_mark = row_str(task, row);
	return OK;
}

static enum err read_family(struct task *task, struct sql_row *row, void *ret)
{
	return row_family(task, row, ret);
}

enum err family_insert(struct task *task, struct db *db, const struct family *family)
{
	return sql_exec(task, db, &FAMILY_INSERT,
			ARGS(sql_text(family->id), sql_text(family->user_id),
			     sql_text(family->grant_id), sql_text(family->client_id),
			     sql_text(scope_text(&task->arena, family->ceiling)),
			     sql_text(family->key_thumbprint), sql_blob(family->seed),
			     sql_int(family->root_number), sql_int(family->root_since),
			     sql_int(family->root_before), sql_int(family->generation),
			     sql_blob(rotation_marks_encode(&task->arena, family)),
			     sql_int(family->repeats), sql_int(family->repeats_day),
			     sql_int(family->auth_time), sql_text(family->acr),
			     sql_int(family->created_at), sql_int(family->last_used_at),
			     sql_int(family->idle_expires_at), sql_time(family->revoked_at),
			     sql_text(family->revoked_why),
			     sql_text(details_print(&task->arena, &family->details)),
			     sql_time(family->paused_at), sql_text(family->seen_mark),
			     sql_blob(family->sealed_first)),
			NULL);
}

enum err family_find(struct task *task, struct db *db, struct str id, struct family *ret_family)
{
	return sql_one(task, db, &FAMILY_FIND, ARGS(sql_text(id)), read_family, ret_family);
}

enum err family_rotate(struct task *task, struct db *db, const struct family *next,
		       int64_t presented)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &FAMILY_ROTATE,
		     ARGS(sql_text(next->id), sql_int(next->generation),
			  sql_blob(rotation_marks_encode(&task->arena, next)),
			  sql_int(next->last_used_at), sql_int(next->idle_expires_at),
			  sql_int(presented)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "the refresh token is not the current one");
	return OK;
}

enum err family_set_root(struct task *task, struct db *db, const struct family *family)
{
	return sql_exec(task, db, &FAMILY_SET_ROOT,
			ARGS(sql_text(family->id), sql_int(family->root_number),
			     sql_int(family->root_since), sql_int(family->root_before)),
			NULL);
}

enum err family_set_key(struct task *task, struct db *db, const struct family *family)
{
	return sql_exec(task, db, &FAMILY_SET_KEY,
			ARGS(sql_text(family->id), sql_text(family->key_thumbprint)), NULL);
}

enum err family_take(struct task *task, struct db *db, struct str id, struct family *ret_family)
{
	return sql_one(task, db, &FAMILY_TAKE, ARGS(sql_text(id)), read_family, ret_family);
}

enum err family_take_live(struct task *task, struct db *db, struct str id)
{
	int64_t revoked_at = 0;

	TRY(sql_one_int(task, db, &FAMILY_TAKE_LIVE, ARGS(sql_text(id)), &revoked_at));
	if (revoked_at != 0)
		return fail(task, ERR_CONFLICT, "the installation's line has ended");
	return OK;
}

enum err family_set_repeats(struct task *task, struct db *db, const struct family *family)
{
	return sql_exec(
		task, db, &FAMILY_SET_REPEATS,
		ARGS(sql_text(family->id), sql_int(family->repeats), sql_int(family->repeats_day)),
		NULL);
}

enum err family_lose_scope(struct task *task, struct db *db, struct str grant_id, struct str scope)
{
	return sql_exec(task, db, &FAMILY_LOSE_SCOPE, ARGS(sql_text(grant_id), sql_text(scope)),
			NULL);
}

enum err family_revoke(struct task *task, struct db *db, struct str id, int64_t now, struct str why,
		       bool *ret_now)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &FAMILY_REVOKE, ARGS(sql_text(id), sql_int(now), sql_text(why)),
		     &changed));
	if (changed > 0)
		ended_note(task, db, "family", id, why);
	*ret_now = changed > 0;
	return OK;
}

static enum err set_one(struct task *task, struct db *db, const struct sql *sql,
			struct sql_args args)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, sql, args, &changed));
	return changed > 0 ? OK : fail(task, ERR_CONFLICT, "this installation is over");
}

enum err family_set_paused(struct task *task, struct db *db, struct str id, int64_t paused_at)
{
	TRY(set_one(task, db, &FAMILY_SET_PAUSED, ARGS(sql_text(id), sql_time(paused_at))));
	ended_note(task, db, "paused", id, str_printf(&task->arena, "%lld", (long long)paused_at));
	return OK;
}

enum err family_set_ceiling(struct task *task, struct db *db, const struct family *family)
{
	return set_one(task, db, &FAMILY_SET_CEILING,
		       ARGS(sql_text(family->id),
			    sql_text(scope_text(&task->arena, family->ceiling)),
			    sql_text(details_print(&task->arena, &family->details))));
}

enum err family_set_name(struct task *task, struct db *db, struct str id, struct str sealed,
			 int64_t now)
{
	return set_one(task, db, &FAMILY_SET_NAME,
		       ARGS(sql_text(id), sql_blob(sealed), sql_int(now)));
}

enum err family_set_seen(struct task *task, struct db *db, struct str id,
			 const struct family_seen *seen)
{
	return sql_exec(
		task, db, &FAMILY_SET_SEEN,
		ARGS(sql_text(id), sql_text(seen->mark), sql_blob(seen->sealed), sql_int(seen->at)),
		NULL);
}

static enum err read_about(struct task *task, struct sql_row *row, void *ret)
{
	struct family_about *about = ret;

	about->id = row_str(task, row);
	about->sealed_first = row_str(task, row);
	about->sealed_last = row_str(task, row);
	about->seen_at = row_int(row);
	about->sealed_name = row_str(task, row);
	about->named_at = row_int(row);
	return OK;
}

enum err family_find_about(struct task *task, struct db *db, struct str id,
			   struct family_about *ret_about)
{
	return sql_one(task, db, &FAMILY_FIND_ABOUT, ARGS(sql_text(id)), read_about, ret_about);
}

enum err family_take_all(struct task *task, struct db *db, struct str grant_id,
			 struct family **ret_families, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct family), .read = read_family };

	TRY(sql_all(task, db, &FAMILY_TAKE_ALL, ARGS(sql_text(grant_id)), &list));
	*ret_families = list.items;
	*ret_count = list.count;
	return OK;
}

enum err family_list(struct task *task, struct db *db, struct str grant_id,
		     struct family **ret_families, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct family), .read = read_family };

	TRY(sql_all(task, db, &FAMILY_LIST, ARGS(sql_text(grant_id)), &list));
	*ret_families = list.items;
	*ret_count = list.count;
	return OK;
}

enum err family_list_live(struct task *task, struct db *db, const struct family_page *page,
			  struct family **ret_families, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct family), .read = read_family };

	TRY(sql_all(task, db, &FAMILY_LIST_LIVE,
		    ARGS(sql_text(page->grant_id), sql_int(page->now), sql_int(page->most)),
		    &list));
	*ret_families = list.items;
	*ret_count = list.count;
	return OK;
}
