/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing keys as an operator sees them. Private parts stay with the key holder: no call gives one
 * out.
 */
#include "authority/signing.h"

#include "admin/room.h"
#include "store/key_rows.h"

static const struct member rotate_members[] = {
	{ "purpose", MEMBER_TEXT, false },
	{ "at_once", MEMBER_YES_NO, false },
	{ "compromised", MEMBER_YES_NO, false },
};

/* A key with its state, which depends on the others. */
struct shown_key {
	struct key_record record;
	enum signing_state state;
};

static enum err write_key(struct exchange *exchange, struct json_writer *json, const void *item)
{
	const struct shown_key *key = item;
	const struct key_record *record = &key->record;
	struct arena *arena = &exchange->task.arena;

	json_member_str(json, "id", record->id);
	json_member_str(json, "purpose", record->purpose);
	json_member_str(json, "alg", alg_name(record->alg));
	json_member_str(json, "state", signing_state_name(key->state));
	member_time(json, arena, "created_at", record->created_at);
	member_time(json, arena, "signs_from", record->not_before);
	member_time(json, arena, "retires_at", record->retire_at);
	return OK;
}

static const struct list_shape list_shape = { "keys", sizeof(struct shown_key),
					      offsetof(struct shown_key, record.id), write_key };

/* All at once: a year has a dozen. */
enum err keys_list(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct key_record *records = NULL;
	struct shown_key *keys;
	struct db *db = NULL;
	size_t count = 0;

	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(key_row_list(task, db, &records, &count));
	keys = NEW_ARRAY(&task->arena, struct shown_key, count);
	for (size_t i = 0; i < count; i++)
		keys[i] = (struct shown_key){
			records[i], signing_state_at(records, count, &records[i], task->now)
		};
	return admin_answer_list(exchange, &list_shape, keys, count, INT64_MAX);
}

static enum err read_wish(struct exchange *exchange, struct signing_wish *ret_wish)
{
	CLEANUP(json_unref) json_t *body = NULL;
	struct task *task = &exchange->task;
	struct signing_wish wish = {
		.actor = { .kind = STR("operator"), .request_id = exchange->request_id },
	};

	TRY(admin_body(exchange, rotate_members, COUNT_OF(rotate_members), &body));
	if (json_object_get(body, "purpose") != NULL)
		wish.purpose = str_copy(&task->arena, json_get_str(body, "purpose"));
	if (json_is_true(json_object_get(body, "at_once")))
		wish.kind = SIGNING_AT_ONCE;
	if (json_is_true(json_object_get(body, "compromised")))
		wish.kind = SIGNING_COMPROMISED;
	*ret_wish = wish;
	return OK;
}

enum err keys_rotate(struct exchange *exchange)
{
	struct signing_wish wish;

	TRY(read_wish(exchange, &wish));
	TRY(signing_rotate(&exchange->task, admin_authority(exchange), &wish));
	return keys_list(exchange);
}
