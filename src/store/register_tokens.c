/* SPDX-License-Identifier: Apache-2.0 */
#include "store/register_tokens.h"

#include "base/task.h"
#include "store/sql.h"

#define SELECT                                                                                     \
	"SELECT id, name, uses, used, created_at, expires_at, revoked_at FROM register_tokens"

static STATEMENT TOKEN_INSERT = {
	"INSERT INTO register_tokens (id, token_hash, name, uses, used, created_at, expires_at,"
	" revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
};
/* the last use has one winner */
static STATEMENT TOKEN_SPEND = {
	"UPDATE register_tokens SET used = used + 1 WHERE token_hash = $1 AND expires_at > $2"
	" AND revoked_at IS NULL AND used < uses RETURNING id"
};
static STATEMENT TOKEN_CHECK = {
	"SELECT id FROM register_tokens WHERE token_hash = $1 AND expires_at > $2"
	" AND revoked_at IS NULL AND used < uses"
};
static STATEMENT TOKEN_FIND = { SELECT " WHERE id = $1" };
static STATEMENT TOKEN_LIST = { SELECT " WHERE id > $1 ORDER BY id LIMIT $2" };
static STATEMENT TOKEN_REVOKE = { "UPDATE register_tokens SET revoked_at = $2 WHERE id = $1"
				  " AND revoked_at IS NULL" };
static STATEMENT TOKEN_REVOKE_ALL = { "UPDATE register_tokens SET revoked_at = $1"
				      " WHERE revoked_at IS NULL AND expires_at > $1" };
static STATEMENT TOKEN_SWEEP = { "DELETE FROM register_tokens WHERE id IN (SELECT id"
				 " FROM register_tokens WHERE expires_at < $1 LIMIT $2)" };

static enum err read_token(struct task *task, struct sql_row *row, void *ret)
{
	struct register_token *token = ret;

	token->id = row_str(task, row);
	token->name = row_str(task, row);
	token->uses = row_int(row);
	token->used = row_int(row);
	token->created_at = row_int(row);
	token->expires_at = row_int(row);
	token->revoked_at = row_int(row);
	return OK;
}

static enum err read_id(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

enum err register_token_insert(struct task *task, struct db *db, const struct register_token *token,
			       struct str token_hash)
{
	return sql_exec(task, db, &TOKEN_INSERT,
			ARGS(sql_text(token->id), sql_blob(token_hash), sql_text(token->name),
			     sql_int(token->uses), sql_int(token->used), sql_int(token->created_at),
			     sql_int(token->expires_at), sql_time(token->revoked_at)),
			NULL);
}

static enum err find_good(struct task *task, struct db *db, const struct sql *sql,
			  struct sql_args args, struct str *ret_id)
{
	enum err err = sql_one(task, db, sql, args, read_id, ret_id);

	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	return fail(task, ERR_TOKEN, "this token does not let anybody register (any more)");
}

enum err register_token_spend(struct task *task, struct db *db, struct str token_hash, int64_t now,
			      struct str *ret_id)
{
	return find_good(task, db, &TOKEN_SPEND, ARGS(sql_blob(token_hash), sql_int(now)), ret_id);
}

enum err register_token_check(struct task *task, struct db *db, struct str token_hash, int64_t now)
{
	struct str id = STR_NONE;

	return find_good(task, db, &TOKEN_CHECK, ARGS(sql_blob(token_hash), sql_int(now)), &id);
}

enum err register_token_find(struct task *task, struct db *db, struct str id,
			     struct register_token *ret_token)
{
	return sql_one(task, db, &TOKEN_FIND, ARGS(sql_text(id)), read_token, ret_token);
}

enum err register_token_list(struct task *task, struct db *db, struct str after, int64_t limit,
			     struct register_token **ret_tokens, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct register_token), .read = read_token };
	struct str behind = after.at == NULL ? STR("") : after;

	TRY(sql_all(task, db, &TOKEN_LIST, ARGS(sql_text(behind), sql_int(limit)), &list));
	*ret_tokens = list.items;
	*ret_count = list.count;
	return OK;
}

enum err register_token_revoke(struct task *task, struct db *db, struct str id, int64_t now)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &TOKEN_REVOKE, ARGS(sql_text(id), sql_int(now)), &changed));
	if (changed == 0)
		return fail(task, ERR_NOT_FOUND, "there is no such token that is not revoked");
	return OK;
}

enum err register_token_revoke_all(struct task *task, struct db *db, int64_t now)
{
	return sql_exec(task, db, &TOKEN_REVOKE_ALL, ARGS(sql_int(now)), NULL);
}

enum err register_token_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
			      int64_t *ret_deleted)
{
	return sql_exec(task, db, &TOKEN_SWEEP, ARGS(sql_int(before), sql_int(limit)), ret_deleted);
}
