/* SPDX-License-Identifier: Apache-2.0 */
#include "store/users.h"

#include "base/task.h"
#include "crypto/keys.h"
#include "store/ended.h"
#include "store/rows.h"

static STATEMENT USER_INSERT = {
	"INSERT INTO users (id, username, sealed_profile, version, created_at, disabled_at)"
	" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
};
static STATEMENT USER_KEY_INSERT = {
	"INSERT INTO user_keys (user_id, wrapped_key, root_number) VALUES ($1, $2, $3)"
	" ON CONFLICT DO NOTHING"
};

#define USER_SELECT "SELECT " USER_COLUMNS " FROM users u LEFT JOIN user_keys k ON k.user_id = u.id"

static STATEMENT USER_FIND = { USER_SELECT " WHERE u.id = $1" };
static STATEMENT USER_FIND_KEY = { "SELECT wrapped_key FROM user_keys WHERE user_id = $1" };
static STATEMENT USER_FIND_BY_NAME = { USER_SELECT " WHERE u.username = $1" };
/* byte order on both databases: PostgreSQL's columns are made with COLLATE "C" */
static STATEMENT USER_LIST = { USER_SELECT " WHERE u.username > $1 ORDER BY u.username LIMIT $2" };
static STATEMENT USER_SET_DISABLED = { "UPDATE users SET disabled_at = $2 WHERE id = $1" };
static STATEMENT USER_TAKE = { "SELECT disabled_at FROM users WHERE id = $1" SQL_TAKING };
static STATEMENT USER_COUNT = { "SELECT count(*) FROM users" };

static STATEMENT AUTHENTICATOR_FIND = {
	"SELECT user_id, kind, sealed, version, created_at, changed_at FROM authenticators"
	" WHERE user_id = $1 AND kind = $2"
};
static STATEMENT AUTHENTICATOR_TAKE = { "UPDATE authenticators SET version = version"
					" WHERE user_id = $1 AND kind = $2 AND version = $3" };
static STATEMENT AUTHENTICATOR_PUT = {
	"INSERT INTO authenticators (user_id, kind, sealed, version, created_at, changed_at)"
	" VALUES ($1, $2, $3, $4, $5, $6)"
	" ON CONFLICT (user_id, kind) DO UPDATE SET sealed = excluded.sealed,"
	" version = excluded.version, changed_at = excluded.changed_at"
	" WHERE authenticators.version = excluded.version - 1"
};

static STATEMENT AUTHENTICATOR_DELETE_OLDER = {
	"DELETE FROM authenticators WHERE user_id = $1 AND kind = $2 AND changed_at < $3"
};

void row_user(struct task *task, struct sql_row *row, struct user *user)
{
	user->id = row_str(task, row);
	user->username = row_str(task, row);
	user->sealed_profile = row_str(task, row);
	user->version = row_int(row);
	user->created_at = row_int(row);
	user->disabled_at = row_int(row);
	user->status = user->disabled_at == 0 ? USER_ACTIVE : USER_DISABLED;
}

void row_user_with_key(struct task *task, struct sql_row *row, struct user *user)
{
	row_user(task, row, user);
	user->wrapped_key = row_str(task, row);
}

static enum err read_user(struct task *task, struct sql_row *row, void *ret)
{
	row_user_with_key(task, row, ret);
	return OK;
}

enum err user_insert(struct task *task, struct db *db, const struct user *user)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &USER_INSERT,
		     ARGS(sql_text(user->id), sql_text(user->username),
			  sql_blob(user->sealed_profile), sql_int(user->version),
			  sql_int(user->created_at), sql_time(user->disabled_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "a user of this name exists");
	return sql_exec(task, db, &USER_KEY_INSERT,
			ARGS(sql_text(user->id), sql_blob(user->wrapped_key),
			     sql_int(keys_root_of(user->wrapped_key))),
			NULL);
}

enum err user_find(struct task *task, struct db *db, struct str id, struct user *ret_user)
{
	return sql_one(task, db, &USER_FIND, ARGS(sql_text(id)), read_user, ret_user);
}

static enum err read_key(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

enum err user_find_key(struct task *task, struct db *db, struct str id, struct str *ret_wrapped)
{
	return sql_one(task, db, &USER_FIND_KEY, ARGS(sql_text(id)), read_key, ret_wrapped);
}

enum err user_find_by_name(struct task *task, struct db *db, struct str username,
			   struct user *ret_user)
{
	return sql_one(task, db, &USER_FIND_BY_NAME, ARGS(sql_text(username)), read_user, ret_user);
}

enum err user_list(struct task *task, struct db *db, struct str after, int64_t limit,
		   struct user **ret_users, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct user), .read = read_user };
	struct str behind = after.at == NULL ? STR("") : after;

	TRY(sql_all(task, db, &USER_LIST, ARGS(sql_text(behind), sql_int(limit)), &list));
	*ret_users = list.items;
	*ret_count = list.count;
	return OK;
}

enum err user_set_disabled(struct task *task, struct db *db, struct str id, int64_t disabled_at)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &USER_SET_DISABLED, ARGS(sql_text(id), sql_time(disabled_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "no such user");
	ended_note(task, db, "user", id, str_printf(&task->arena, "%lld", (long long)disabled_at));
	return OK;
}

enum err user_take(struct task *task, struct db *db, struct str id, bool *ret_active)
{
	int64_t disabled_at = 0;

	TRY(sql_one_int(task, db, &USER_TAKE, ARGS(sql_text(id)), &disabled_at));
	*ret_active = disabled_at == 0;
	return OK;
}

enum err user_count(struct task *task, struct db *db, int64_t *ret_count)
{
	return sql_one_int(task, db, &USER_COUNT, NO_ARGS, ret_count);
}

static enum err read_authenticator(struct task *task, struct sql_row *row, void *ret)
{
	struct authenticator *authenticator = ret;

	authenticator->user_id = row_str(task, row);
	authenticator->kind = row_str(task, row);
	authenticator->sealed = row_str(task, row);
	authenticator->version = row_int(row);
	authenticator->created_at = row_int(row);
	authenticator->changed_at = row_int(row);
	return OK;
}

enum err authenticator_find(struct task *task, struct db *db, struct str user_id, struct str kind,
			    struct authenticator *ret_authenticator)
{
	return sql_one(task, db, &AUTHENTICATOR_FIND, ARGS(sql_text(user_id), sql_text(kind)),
		       read_authenticator, ret_authenticator);
}

enum err authenticator_take(struct task *task, struct db *db, struct str user_id, struct str kind,
			    int64_t version)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &AUTHENTICATOR_TAKE,
		     ARGS(sql_text(user_id), sql_text(kind), sql_int(version)), &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "it was changed meanwhile");
	return OK;
}

enum err authenticator_put(struct task *task, struct db *db,
			   const struct authenticator *authenticator)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &AUTHENTICATOR_PUT,
		     ARGS(sql_text(authenticator->user_id), sql_text(authenticator->kind),
			  sql_blob(authenticator->sealed), sql_int(authenticator->version),
			  sql_int(authenticator->created_at), sql_int(authenticator->changed_at)),
		     &changed));
	if (changed == 0)
		return fail(task, ERR_CONFLICT, "it was changed meanwhile");
	ended_note(task, db, "authenticator", authenticator->user_id, authenticator->kind);
	return OK;
}

enum err authenticator_delete_older(struct task *task, struct db *db, struct str user_id,
				    struct str kind, int64_t at)
{
	return sql_exec(task, db, &AUTHENTICATOR_DELETE_OLDER,
			ARGS(sql_text(user_id), sql_text(kind), sql_int(at)), NULL);
}
