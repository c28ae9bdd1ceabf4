/* SPDX-License-Identifier: Apache-2.0 */
#include "store/root_rows.h"

#include "base/task.h"
#include "model/family.h"
#include "store/key_rows.h"
#include "store/sql.h"

static STATEMENT COUNT_PEOPLE = {
	"SELECT count(*) FROM (SELECT user_id FROM user_keys WHERE root_number = $1 LIMIT $2) k"
};
static STATEMENT COUNT_INSTALLATIONS = {
	"SELECT count(*), max(f.idle_expires_at) FROM (SELECT idle_expires_at FROM families"
	" WHERE root_number = $1 AND revoked_at IS NULL AND idle_expires_at > $2 LIMIT $3) f"
};
/* what it got by the move may have been lost: then it comes with the token of before once more */
static STATEMENT COUNT_JUST_MOVED = {
	"SELECT count(*) FROM families WHERE root_before = $1 AND root_since = generation"
	" AND last_used_at > $2 AND revoked_at IS NULL"
};
static STATEMENT NEXT_OF_PEOPLE = {
	"SELECT min(root_number) FROM user_keys WHERE root_number > $1"
};
static STATEMENT LIST_PEOPLE = {
	"SELECT user_id, wrapped_key FROM user_keys WHERE root_number = $1 AND user_id > $2"
	" ORDER BY user_id LIMIT $3"
};
static STATEMENT MOVE_PERSON = { "UPDATE user_keys SET wrapped_key = $3, root_number = $4"
				 " WHERE user_id = $1 AND wrapped_key = $2" };
static STATEMENT MOVE_SIGNING_KEY = { "UPDATE keys SET sealed = $3"
				      " WHERE id = $1 AND sealed = $2" };

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

/* There are few, and their bytes are asked: no column can say otherwise. */
static enum err look_at_signing_keys(struct task *task, struct db *db, uint32_t number,
				     int64_t *ret_count, uint32_t *ret_next)
{
	struct key_record *records = NULL;
	size_t count = 0;

	TRY(key_row_list_sealed(task, db, &records, &count));
	*ret_count = 0;
	*ret_next = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t root = keys_root_of(records[i].sealed);

		*ret_count += root == number;
		if (root > number && (*ret_next == 0 || root < *ret_next))
			*ret_next = root;
	}
	return OK;
}

enum err root_use_find(struct task *task, struct db *db, uint32_t number, int64_t most,
		       struct root_use *ret_use)
{
	struct root_use use = { 0 };
	uint32_t next;

	TRY(sql_one(task, db, &COUNT_PEOPLE, ARGS(sql_int(number), sql_int(most)), read_int,
		    &use.people));
	TRY(look_at_signing_keys(task, db, number, &use.signing_keys, &next));
	TRY(sql_one(task, db, &COUNT_INSTALLATIONS,
		    ARGS(sql_int(number), sql_int(task->now), sql_int(most)), read_installations,
		    &use));
	*ret_use = use;
	return OK;
}

enum err root_count_just_moved(struct task *task, struct db *db, uint32_t number,
			       int64_t *ret_count)
{
	return sql_one(task, db, &COUNT_JUST_MOVED,
		       ARGS(sql_int(number), sql_int(task->now - ROTATION_LOST_ANSWER_MS)),
		       read_int, ret_count);
}

enum err root_next_of_people(struct task *task, struct db *db, uint32_t after, uint32_t *ret_number)
{
	int64_t number = 0;

	TRY(sql_one(task, db, &NEXT_OF_PEOPLE, ARGS(sql_int(after)), read_int, &number));
	*ret_number = (uint32_t)number;
	return OK;
}

enum err root_next_needed(struct task *task, struct db *db, uint32_t after, uint32_t *ret_number)
{
	uint32_t people = 0, keys = 0;
	int64_t count;

	TRY(root_next_of_people(task, db, after, &people));
	TRY(look_at_signing_keys(task, db, after, &count, &keys));
	*ret_number = people == 0 || (keys != 0 && keys < people) ? keys : people;
	return OK;
}

static enum err read_wrapped(struct task *task, struct sql_row *row, void *ret)
{
	struct wrapped_key *key = ret;

	key->user_id = row_str(task, row);
	key->bytes = row_str(task, row);
	return OK;
}

enum err root_list_people(struct task *task, struct db *db, const struct root_place *from,
			  int64_t limit, struct wrapped_key **ret_keys, size_t *ret_count)
{
	struct sql_list list = { .size = sizeof(struct wrapped_key), .read = read_wrapped };

	TRY(sql_all(task, db, &LIST_PEOPLE,
		    ARGS(sql_int(from->number), sql_text(from->after), sql_int(limit)), &list));
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
			ARGS(sql_text(from->id), sql_blob(from->sealed), sql_blob(sealed)), NULL);
}
