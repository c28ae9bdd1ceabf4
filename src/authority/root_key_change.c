/* SPDX-License-Identifier: Apache-2.0 */
/* Making a root key the current one, and moving what lies under another. */
#include <string.h>

#include "authority/events.h"
#include "authority/root_key.h"
#include "authority/signing.h"
#include "base/json.h"
#include "base/log.h"
#include "store/events.h"
#include "store/key_rows.h"
#include "store/marks.h"
#include "store/nodes.h"
#include "store/root_rows.h"

#define DETAILS_MAX 256
#define BATCH	    100
/* as long as nodes believe each other to be there (grantd/nodes.c) */
#define ALIVE_MS (30 * SECOND_MS)

struct beginning {
	const struct authority *authority;
	const struct actor *actor;
	const struct key_root *root;
	bool is_now; /* it was not the current one before */
};

/* --- making it the current one --- */

static enum err check_nodes(struct task *task, struct db *db, const struct key_root *root)
{
	struct str line = STR_NONE, wanted = str_printf(&task->arena, "%u ", root->number);
	struct node *nodes = NULL;
	size_t count = 0;

	wanted = STR_JOIN(&task->arena, wanted, root->fingerprint);
	TRY(node_list(task, db, &nodes, &count));
	for (size_t i = 0; i < count; i++) {
		struct str rest = nodes[i].root_keys;
		bool has_it = nodes[i].seen_at < task->now - ALIVE_MS;

		while (!has_it && str_next(&rest, '\n', &line))
			has_it = str_equals(line, wanted);
		if (!has_it)
			return failf(task, ERR_CONFLICT,
				     "the node %.*s does not have root key %u of this node: copy "
				     "root.key to it and restart it, then try again",
				     STR_FMT(nodes[i].name), root->number);
	}
	return OK;
}

static enum err write_event(struct task *task, struct db *db, const struct beginning *beginning,
			    int64_t before)
{
	struct event event = event_new(task, STR("root_key.current"), beginning->actor->kind);
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	event.request_id = beginning->actor->request_id;
	json_open_object(&json);
	json_member_int(&json, "number", beginning->root->number);
	json_member_int(&json, "before", before);
	json_close(&json);
	TRY(buf_finish(&buf, &event.details));
	return event_insert(task, db, &event);
}

/* Whether anything lies elsewhere is told by two looks at an index. */
static enum err is_any_elsewhere(struct task *task, struct db *db, uint32_t current, bool *ret_is)
{
	uint32_t number = 0;

	TRY(root_next_needed(task, db, 0, &number));
	if (number == current)
		TRY(root_next_needed(task, db, current, &number));
	*ret_is = number != 0 && number != current;
	return OK;
}

/* A node that was not restarted since does not know of a newer one. */
static enum err check_is_work(struct task *task, struct db *db, uint32_t current)
{
	bool is_work = false;

	TRY(is_any_elsewhere(task, db, current, &is_work));
	if (!is_work)
		return failf(task, ERR_CONFLICT,
			     "there is nothing to do: root key %u is the current one, the newest "
			     "that this grantd read when it started, and nothing lies under "
			     "another; grantd root-key add makes a new one, then restart grantd",
			     current);
	return OK;
}

/* One at a time: the mark of the signing keys is taken first. */
static enum err write_beginning(struct task *task, struct db *db, void *arg)
{
	struct beginning *beginning = arg;
	const struct key_root *root = beginning->root;
	int64_t before = 0;

	beginning->is_now = false;
	TRY(mark_step(task, db, STR("keys")));
	TRY(mark_find(task, db, STR("root"), &before));
	if (before >= root->number)
		return check_is_work(task, db, (uint32_t)before);
	TRY(check_nodes(task, db, root));
	TRY(fact_set(task, db, str_printf(&task->arena, "root_fingerprint:%u", root->number),
		     root->fingerprint));
	TRY(mark_raise(task, db, STR("root"), root->number));
	beginning->is_now = true;
	return write_event(task, db, beginning, before);
}

enum err root_key_begin(struct task *task, const struct authority *authority,
			const struct actor *actor)
{
	size_t count;
	const struct key_root *roots = keys_roots(authority->keys, &count);
	struct beginning beginning = { .authority = authority,
				       .actor = actor,
				       .root = &roots[count - 1] };

	TRY(store_write(task, authority->store, write_beginning, &beginning));
	if (beginning.is_now)
		log_warning(task, "root_key.current", LOG_INT("number", beginning.root->number));
	return root_key_follow(task, authority);
}

enum err root_key_follow(struct task *task, const struct authority *authority)
{
	struct db *db = NULL;
	int64_t number = 0;

	TRY(store_reader(task, authority->store, &db));
	TRY(mark_find(task, db, STR("root"), &number));
	if (number == 0 || number == keys_root_number(authority->keys))
		return OK;
	return keys_use_root(task, authority->keys, (uint32_t)number);
}

/* --- moving what lies under another --- */

struct move {
	struct wrapped_key *people; /* as they are */
	struct str *wrapped;	    /* as they are to be */
	size_t people_count;
	struct key_record *records;
	struct str *sealed; /* STR_NONE: it stays */
	size_t record_count;
	size_t moved;
};

static enum err prepare_people(struct task *task, const struct authority *authority, struct db *db,
			       struct move *move)
{
	TRY(root_list_people(task, db, keys_root_number(authority->keys), BATCH, &move->people,
			     &move->people_count));
	move->wrapped = NEW_ARRAY(&task->arena, struct str, move->people_count);
	for (size_t i = 0; i < move->people_count; i++)
		TRY(keys_rewrap_user_key(task, authority->keys, move->people[i].user_id,
					 move->people[i].bytes, &move->wrapped[i]));
	move->moved += move->people_count;
	return OK;
}

static enum err prepare_records(struct task *task, const struct authority *authority, struct db *db,
				struct move *move)
{
	uint32_t number = keys_root_number(authority->keys);

	TRY(key_row_list(task, db, &move->records, &move->record_count));
	move->sealed = NEW_ARRAY(&task->arena, struct str, move->record_count);
	for (size_t i = 0; i < move->record_count; i++) {
		const struct key_record *record = &move->records[i];

		if (record->sealed.len == 0 || keys_root_of(record->sealed) == number)
			continue;
		TRY(keys_rewrap_signing_key(task, authority->keys, record, &move->sealed[i]));
		move->moved++;
	}
	return OK;
}

static enum err write_move(struct task *task, struct db *db, void *arg)
{
	const struct move *move = arg;

	for (size_t i = 0; i < move->people_count; i++)
		TRY(root_move_person(task, db, &move->people[i], move->wrapped[i]));
	for (size_t i = 0; i < move->record_count; i++)
		if (move->sealed[i].at != NULL)
			TRY(root_move_signing_key(task, db, &move->records[i], move->sealed[i]));
	return OK;
}

enum err root_key_rewrap(struct task *task, const struct authority *authority, bool *ret_more)
{
	struct move move = { 0 };
	struct db *db = NULL;

	TRY(root_key_follow(task, authority));
	TRY(store_reader(task, authority->store, &db));
	TRY(is_any_elsewhere(task, db, keys_root_number(authority->keys), ret_more));
	if (!*ret_more)
		return OK;
	TRY(prepare_people(task, authority, db, &move));
	TRY(prepare_records(task, authority, db, &move));
	TRY(store_write(task, authority->store, write_move, &move));
	log_info(task, "root_key.rewrapped", LOG_INT("keys", (int64_t)move.moved));
	return OK;
}
