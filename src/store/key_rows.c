/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key_rows.h"

#include "base/task.h"
#include "store/sql.h"

static STATEMENT KEY_INSERT = {
	"INSERT INTO keys (id, purpose, alg, public_jwk, sealed, created_at, not_before,"
	" retire_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
};
#define KEY_SELECT                                                                                 \
	"SELECT id, purpose, alg, public_jwk, sealed, created_at, not_before, retire_at FROM keys"
static STATEMENT KEY_LIST = { KEY_SELECT " ORDER BY created_at, id" };
static STATEMENT KEY_LIST_LIVE = { KEY_SELECT " WHERE retire_at IS NULL OR retire_at > $1"
					      " ORDER BY created_at, id" };
static STATEMENT KEY_LIST_SEALED = { KEY_SELECT " WHERE sealed <> $1 ORDER BY created_at, id" };
static STATEMENT KEY_BEGIN = { "UPDATE keys SET not_before = $2 WHERE id = $1" };
static STATEMENT KEY_RETIRE_OTHERS = {
	"UPDATE keys SET retire_at = $3 WHERE purpose = $1 AND id <> $2"
	" AND (retire_at IS NULL OR retire_at > $3)"
};
/* no bytes at all: the private part is gone, and what was signed can still be checked */
static STATEMENT KEY_WIPE = {
	"UPDATE keys SET sealed = $2 WHERE retire_at <= $1 AND sealed <> $2"
};
static STATEMENT FACT_FIND = { "SELECT value FROM facts WHERE name = $1" };
static STATEMENT FACT_SET = {
	"INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"
};

static enum err read_key(struct task *task, struct sql_row *row, void *ret)
{
	struct key_record *record = ret;

	record->id = row_str(task, row);
	record->purpose = row_str(task, row);
	if (alg_from_name(task, row_str(task, row), &record->alg) != OK)
		return fail(task, ERR_STORE, "a key of an unknown algorithm");
	record->public_jwk = row_str(task, row);
	record->sealed = row_str(task, row);
	record->created_at = row_int(row);
	record->not_before = row_int(row);
	record->retire_at = row_int(row);
	return OK;
}

enum err key_row_insert(struct task *task, struct db *db, const struct key_record *record)
{
	return sql_exec(task, db, &KEY_INSERT,
			ARGS(sql_text(record->id), sql_text(record->purpose),
			     sql_text(alg_name(record->alg)), sql_text(record->public_jwk),
			     sql_blob(record->sealed), sql_int(record->created_at),
			     sql_int(record->not_before), sql_time(record->retire_at)),
			NULL);
}

enum err key_row_list(struct task *task, struct db *db, struct key_record **ret_records,
		      size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct key_record), .read = read_key };

	TRY(sql_all(task, db, &KEY_LIST, NO_ARGS, &list));
	*ret_records = list.items;
	*ret_count = list.count;
	return OK;
}

enum err key_row_list_live(struct task *task, struct db *db, struct key_record **ret_records,
			   size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct key_record), .read = read_key };

	TRY(sql_all(task, db, &KEY_LIST_LIVE, ARGS(sql_int(task->now)), &list));
	*ret_records = list.items;
	*ret_count = list.count;
	return OK;
}

enum err key_row_list_sealed(struct task *task, struct db *db, struct key_record **ret_records,
			     size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct key_record), .read = read_key };

	TRY(sql_all(task, db, &KEY_LIST_SEALED, ARGS(sql_blob(STR(""))), &list));
	*ret_records = list.items;
	*ret_count = list.count;
	return OK;
}

enum err key_row_begin(struct task *task, struct db *db, struct str id, int64_t not_before)
{
	return sql_exec(task, db, &KEY_BEGIN, ARGS(sql_text(id), sql_int(not_before)), NULL);
}

enum err key_row_retire_others(struct task *task, struct db *db, const struct key_record *stays,
			       int64_t retire_at)
{
	return sql_exec(task, db, &KEY_RETIRE_OTHERS,
			ARGS(sql_text(stays->purpose), sql_text(stays->id), sql_int(retire_at)),
			NULL);
}

enum err key_row_wipe(struct task *task, struct db *db, int64_t *ret_wiped)
{
	return sql_exec(task, db, &KEY_WIPE, ARGS(sql_int(task->now), sql_blob(STR(""))),
			ret_wiped);
}

static enum err read_value(struct task *task, struct sql_row *row, void *ret)
{
	*(struct str *)ret = row_str(task, row);
	return OK;
}

enum err fact_find(struct task *task, struct db *db, struct str name, struct str *ret_value)
{
	return sql_one(task, db, &FACT_FIND, ARGS(sql_text(name)), read_value, ret_value);
}

enum err fact_set(struct task *task, struct db *db, struct str name, struct str value)
{
	struct str stored = STR_NONE;

	TRY(sql_exec(task, db, &FACT_SET, ARGS(sql_text(name), sql_text(value)), NULL));
	TRY(fact_find(task, db, name, &stored));
	if (!str_equals(stored, value))
		return fail(task, ERR_CONFLICT, "it is set to another value");
	return OK;
}
