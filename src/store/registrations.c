/* SPDX-License-Identifier: Apache-2.0 */
#include "store/registrations.h"

#include "base/task.h"
#include "store/sql.h"

#define COLUMNS "client_id, token_hash, metadata, register_token, unused_since, ended_at"

static STATEMENT REGISTRATION_INSERT = { "INSERT INTO registrations (" COLUMNS ")"
					 " VALUES ($1, $2, $3, $4, $5, $6)" };
static STATEMENT REGISTRATION_FIND = { "SELECT " COLUMNS " FROM registrations"
				       " WHERE client_id = $1" };
static STATEMENT REGISTRATION_UPDATE = { "UPDATE registrations SET token_hash = $3, metadata = $4"
					 " WHERE client_id = $1 AND token_hash = $2" };
static STATEMENT REGISTRATION_END = { "UPDATE registrations SET token_hash = NULL, ended_at = $3"
				      " WHERE client_id = $1 AND token_hash = $2" };
static STATEMENT REGISTRATION_USE = { "UPDATE registrations SET unused_since = NULL"
				      " WHERE client_id = $1" };
static STATEMENT REGISTRATION_LEAVE = {
	"UPDATE registrations SET unused_since = $2 WHERE client_id = $1"
	" AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = $1)"
};
static STATEMENT UNUSED_COUNT = { "SELECT count(*) FROM (SELECT client_id FROM registrations"
				  " WHERE unused_since IS NOT NULL LIMIT $1) u" };
static STATEMENT UNUSED_LIST = { "SELECT " COLUMNS " FROM registrations WHERE unused_since < $1"
				 " ORDER BY unused_since LIMIT $2" };
static STATEMENT ENDED_LIST = { "SELECT " COLUMNS " FROM registrations WHERE unused_since < $1"
				" AND ended_at IS NOT NULL ORDER BY unused_since LIMIT $2" };
static STATEMENT UNUSED_DELETE = {
	"DELETE FROM registrations WHERE client_id = $1 AND unused_since < $2"
	" AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = $1)"
	" RETURNING unused_since"
};
/* by events_nobodys; unused since it was made is never used */
static STATEMENT EVENTS_DELETE = {
	"DELETE FROM events WHERE client_id = $1 AND user_id IS NULL AND actor <> 'operator'"
	" AND EXISTS (SELECT 1 FROM clients c WHERE c.id = $1 AND c.created_at = $2)"
};
static STATEMENT CLIENT_SHUT = {
	"UPDATE clients SET disabled_at = $2, not_before = $2 WHERE id = $1 AND EXISTS"
	" (SELECT 1 FROM registrations r WHERE r.client_id = $1 AND r.unused_since IS NOT NULL)"
	" AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.client_id = $1)"
};
static STATEMENT CLIENT_DELETE = { "DELETE FROM clients WHERE id = $1" };

static enum err read_registration(struct task *task, struct sql_row *row, void *ret)
{
	struct registration *registration = ret;

	registration->client_id = row_str(task, row);
	registration->token_hash = row_str(task, row);
	registration->metadata = row_str(task, row);
	registration->register_token = row_str(task, row);
	registration->unused_since = row_int(row);
	registration->ended_at = row_int(row);
	return OK;
}

enum err registration_insert(struct task *task, struct db *db,
			     const struct registration *registration)
{
	return sql_exec(
		task, db, &REGISTRATION_INSERT,
		ARGS(sql_text(registration->client_id), sql_blob(registration->token_hash),
		     sql_text(registration->metadata), sql_text(registration->register_token),
		     sql_time(registration->unused_since), sql_time(registration->ended_at)),
		NULL);
}

enum err registration_find(struct task *task, struct db *db, struct str client_id,
			   struct registration *ret_registration)
{
	return sql_one(task, db, &REGISTRATION_FIND, ARGS(sql_text(client_id)), read_registration,
		       ret_registration);
}

static enum err change_held(struct task *task, struct db *db, const struct sql *sql,
			    struct sql_args args)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, sql, args, &changed));
	if (changed == 0)
		return fail(task, ERR_TOKEN, "this registration access token is not valid");
	return OK;
}

enum err registration_update(struct task *task, struct db *db, struct str token_hash,
			     const struct registration *registration)
{
	return change_held(task, db, &REGISTRATION_UPDATE,
			   ARGS(sql_text(registration->client_id), sql_blob(token_hash),
				sql_blob(registration->token_hash),
				sql_text(registration->metadata)));
}

enum err registration_end(struct task *task, struct db *db, struct str client_id,
			  struct str token_hash, int64_t now)
{
	return change_held(task, db, &REGISTRATION_END,
			   ARGS(sql_text(client_id), sql_blob(token_hash), sql_int(now)));
}

enum err registration_shut(struct task *task, struct db *db, struct str client_id, int64_t now,
			   bool *ret_is_shut)
{
	int64_t changed = 0;

	TRY(sql_exec(task, db, &CLIENT_SHUT, ARGS(sql_text(client_id), sql_int(now)), &changed));
	*ret_is_shut = changed > 0;
	return OK;
}

enum err registration_use(struct task *task, struct db *db, struct str client_id)
{
	return sql_exec(task, db, &REGISTRATION_USE, ARGS(sql_text(client_id)), NULL);
}

enum err registration_leave(struct task *task, struct db *db, struct str client_id, int64_t now)
{
	return sql_exec(task, db, &REGISTRATION_LEAVE, ARGS(sql_text(client_id), sql_int(now)),
			NULL);
}

enum err registration_count_unused(struct task *task, struct db *db, int64_t limit,
				   int64_t *ret_count)
{
	return sql_one_int(task, db, &UNUSED_COUNT, ARGS(sql_int(limit)), ret_count);
}

enum err registration_list_unused(struct task *task, struct db *db, int64_t before, int64_t limit,
				  struct registration **ret_list, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct registration), .read = read_registration };

	TRY(sql_all(task, db, &UNUSED_LIST, ARGS(sql_int(before), sql_int(limit)), &list));
	*ret_list = list.items;
	*ret_count = list.count;
	return OK;
}

enum err registration_list_ended(struct task *task, struct db *db, int64_t before, int64_t limit,
				 struct registration **ret_list, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct registration), .read = read_registration };

	TRY(sql_all(task, db, &ENDED_LIST, ARGS(sql_int(before), sql_int(limit)), &list));
	*ret_list = list.items;
	*ret_count = list.count;
	return OK;
}

static enum err read_unused_since(struct task *task, struct sql_row *row, void *ret)
{
	(void)task;
	*(int64_t *)ret = row_int(row);
	return OK;
}

enum err registration_remove(struct task *task, struct db *db, struct str client_id, int64_t before,
			     bool *ret_is_gone)
{
	int64_t unused_since = 0;
	enum err err = sql_one(task, db, &UNUSED_DELETE, ARGS(sql_text(client_id), sql_int(before)),
			       read_unused_since, &unused_since);

	*ret_is_gone = err == OK;
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	TRY(sql_exec(task, db, &EVENTS_DELETE, ARGS(sql_text(client_id), sql_int(unused_since)),
		     NULL));
	return sql_exec(task, db, &CLIENT_DELETE, ARGS(sql_text(client_id)), NULL);
}
