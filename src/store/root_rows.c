/* SPDX-License-Identifier: Apache-2.0 */
#include "store/root_rows.h"

#include "base/task.h"
#include "store/sql.h"

/* a private part that is wiped is no bytes at all (key_row_wipe) */
static STATEMENT COUNT_PEOPLE = {
	"SELECT count(*) FROM (SELECT user_id FROM user_keys WHERE root_number = $1 LIMIT $2) k"
};
static STATEMENT COUNT_SIGNING_KEYS = {
	"SELECT count(*) FROM keys WHERE root_number = $1 AND sealed <> $2"
};
static STATEMENT COUNT_INSTALLATIONS = {
	"SELECT count(*), max(f.idle_expires_at) FROM (SELECT idle_expires_at FROM families"
	" WHERE root_number = $1 AND revoked_at IS NULL AND idle_expires_at > $2 LIMIT $3) f"
};
static STATEMENT NEXT_OF_PEOPLE = {
	"SELECT min(root_number) FROM user_keys WHERE root_number > $1"
};
static STATEMENT NEXT_OF_SIGNING_KEYS = {
	"SELECT min(root_number) FROM keys WHERE root_number > $1 AND sealed <> $2"
};
/* two ranges of the index: "<>" would walk through all that is moved already */
static STATEMENT LIST_PEOPLE = {
	"SELECT user_id, wrapped_key FROM user_keys WHERE root_number < $1 OR root_number > $1"
	" LIMIT $2"
};
static STATEMENT MOVE_PERSON = { "UPDATE user_keys SET wrapped_key = $3, root_number = $4"
				 " WHERE user_id = $1 AND wrapped_key = $2" };
static STATEMENT MOVE_SIGNING_KEY = {
	"UPDATE keys SET sealed = $3, root_number = $4 WHERE id = $1 AND sealed = $2"
};

static enum err read_int(struct task *task, struct sql_row *row, void *ret)
{
	(void)task;
	*(int64_t *)ret = row_int(row);
	return OK;
}

static enum err read_installations(struct task *task, struct sql_row *row, void *ret)
{
	struct root_use *use = ret;

	(void)task;
	use->installations = row_int(row);
	use->installations_until = row_int(row);
	return OK;
}

enum err root_use_find(struct task *task, struct db *db, uint32_t number, int64_t most,
		       struct root_use *ret_use)
{
	struct root_use use = { 0 };

	TRY(sql_one(task, db, &COUNT_PEOPLE, ARGS(sql_int(number), sql_int(most)), read_int,
		    &use.people));
	TRY(sql_one(task, db, &COUNT_SIGNING_KEYS, ARGS(sql_int(number), sql_blob(STR(""))),
		    read_int, &use.signing_keys));
	TRY(sql_one(task, db, &COUNT_INSTALLATIONS,
		    ARGS(sql_int(number), sql_int(task->now), sql_int(most)), read_installations,
		    &use));
	*ret_use = use;
	return OK;
}

enum err root_next_needed(struct task *task, struct db *db, uint32_t after, uint32_t *ret_number)
{
	int64_t people = 0, keys = 0;

	TRY(sql_one(task, db, &NEXT_OF_PEOPLE, ARGS(sql_int(after)), read_int, &people));
	TRY(sql_one(task, db, &NEXT_OF_SIGNING_KEYS, ARGS(sql_int(after), sql_blob(STR(""))),
		    read_int, &keys));
	if (people == 0 || (keys != 0 && keys < people))
		people = keys;
	*ret_number = (uint32_t)people;
	return OK;
}

static enum err read_wrapped(struct task *task, struct sql_row *row, void *ret)
{
	struct wrapped_key *key = ret;

	key->user_id = row_str(task, row);
	key->bytes = row_str(task, row);
	return OK;
}

enum err root_list_people(struct task *task, struct db *db, uint32_t number, int64_t limit,
			  struct wrapped_key **ret_keys, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct wrapped_key), .read = read_wrapped };

	TRY(sql_all(task, db, &LIST_PEOPLE, ARGS(sql_int(number), sql_int(limit)), &list));
	*ret_keys = list.items;
	*ret_count = list.count;
	return OK;
}

enum err root_move_person(struct task *task, struct db *db, const struct wrapped_key *from,
			  struct str bytes)
{
	return sql_exec(task, db, &MOVE_PERSON,
			ARGS(sql_text(from->user_id), sql_blob(from->bytes), sql_blob(bytes),
			     sql_int(keys_root_of(bytes))),
			NULL);
}

enum err root_move_signing_key(struct task *task, struct db *db, const struct key_record *from,
			       struct str sealed)
{
	return sql_exec(task, db, &MOVE_SIGNING_KEY,
			ARGS(sql_text(from->id), sql_blob(from->sealed), sql_blob(sealed),
			     sql_int(keys_root_of(sealed))),
			NULL);
}
