/* SPDX-License-Identifier: Apache-2.0 */
/* Root keys as an operator sees them: by their numbers, and what lies under each. */
#include "authority/root_key.h"

#include "admin/room.h"
#include "store/root_rows.h"

/* enough to see how much there is, and no walk through all of a large database */
#define COUNTED_MOST 10000
#define NAMED_MOST   10

struct shown_root {
	struct str id;
	const struct key_root *root;
	uint32_t current;
	struct root_use use;
	struct wrapped_key *left; /* some of whom are under it though it is old */
	size_t left_count;
};

static const char *state_of(const struct shown_root *shown)
{
	if (shown->root->number == shown->current)
		return "current";
	return shown->root->number > shown->current ? "waiting" : "old";
}

static enum err write_root(struct exchange *exchange, struct json_writer *json, const void *item)
{
	const struct shown_root *shown = item;

	json_member_int(json, "number", shown->root->number);
	json_member_str(json, "state", str_from_c(state_of(shown)));
	json_member_str(json, "fingerprint", shown->root->fingerprint);
	json_member_int(json, "people", shown->use.people);
	json_key(json, "people_left");
	json_open_array(json);
	for (size_t i = 0; i < shown->left_count; i++)
		json_add_str(json, shown->left[i].user_id);
	json_close(json);
	json_member_int(json, "signing_keys", shown->use.signing_keys);
	json_member_int(json, "installations", shown->use.installations);
	member_time(json, &exchange->task.arena, "installations_until",
		    shown->use.installations_until);
	return OK;
}

static const struct list_shape list_shape = { "root_keys", sizeof(struct shown_root),
					      offsetof(struct shown_root, id), write_root };

static enum err list_left(struct task *task, struct db *db, struct shown_root *shown)
{
	const struct root_place first = { shown->root->number, STR("") };

	return root_list_people(task, db, &first, NAMED_MOST, &shown->left, &shown->left_count);
}

enum err root_keys_list(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	const struct authority *authority = admin_authority(exchange);
	size_t count;
	const struct key_root *roots = keys_roots(authority->keys, &count);
	struct shown_root *shown = NEW_ARRAY(&task->arena, struct shown_root, count);
	struct db *db = NULL;

	TRY(root_key_follow(task, authority));
	TRY(store_reader(task, authority->store, &db));
	for (size_t i = 0; i < count; i++) {
		shown[i].root = &roots[i];
		shown[i].current = keys_root_number(authority->keys);
		TRY(root_use_find(task, db, roots[i].number, COUNTED_MOST, &shown[i].use));
		if (roots[i].number < shown[i].current)
			TRY(list_left(task, db, &shown[i]));
	}
	return admin_answer_list(exchange, &list_shape, shown, count, INT64_MAX);
}

enum err root_keys_rewrap(struct exchange *exchange)
{
	const struct actor actor = { .kind = STR("operator"), .request_id = exchange->request_id };

	TRY(root_key_begin(&exchange->task, admin_authority(exchange), &actor));
	return root_keys_list(exchange);
}
