/* SPDX-License-Identifier: Apache-2.0 */
/* Making a root key the current one, and moving what lies under another. */
#include <assert.h>
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
/*
 * a node that is silent may be hanging, and go on; so long after it was heard of it is believed
 * gone
 */
#define GONE_MS HOUR_MS
/* what did not open is tried again */
#define REST_MS HOUR_MS

struct beginning {
	const struct authority *authority;
	const struct actor *actor;
	const struct key_root *root;
	bool is_now; /* it was not the current one before */
};

/* --- making it the current one --- */

static bool has_root(struct arena *arena, const struct node *node, const struct key_root *root)
{
	struct str wanted = STR_JOIN(arena, str_printf(arena, "%u ", root->number),
				     root->fingerprint);
	struct str line = STR_NONE, rest = node->root_keys;

	while (str_next(&rest, '\n', &line))
		if (str_equals(line, wanted))
			return true;
	return false;
}

/* It was killed, and started again since: what is heard of now is another process of that name. */
static bool is_succeeded(const struct node *nodes, size_t count, const struct node *silent)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(nodes[i].name, silent->name) &&
		    nodes[i].started_at > silent->seen_at)
			return true;
	return false;
}

static enum err check_nodes(struct task *task, struct db *db, const struct key_root *root)
{
	struct node *nodes = NULL;
	size_t count = 0;

	TRY(node_list(task, db, task->now - GONE_MS, &nodes, &count));
	for (size_t i = 0; i < count; i++) {
		if (has_root(&task->arena, &nodes[i], root) ||
		    is_succeeded(nodes, count, &nodes[i]))
			continue;
		return failf(task, ERR_CONFLICT,
			     "the node %.*s, last heard of at %.*s, does not have root key %u of "
			     "this node: copy root.key to it and restart it, then try again; if it "
			     "is gone for good, try again an hour after that time",
			     STR_FMT(nodes[i].name),
			     STR_FMT(clock_format(&task->arena, nodes[i].seen_at)), root->number);
	}
	return OK;
}

static enum err write_event(struct task *task, struct db *db, const struct beginning *beginning,
			    uint32_t before)
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
	uint32_t before = 0;

	beginning->is_now = false;
	TRY(mark_step(task, db, STR("keys")));
	TRY(root_key_current(task, db, &before));
	if (before >= root->number)
		return check_is_work(task, db, before);
	TRY(check_nodes(task, db, root));
	TRY(root_key_set_current(task, db, root));
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

enum err root_key_follow_all(struct task *task, const struct authority *authority)
{
	enum err err = signing_follow(task, authority);

	TRY(root_key_follow(task, authority));
	return err;
}

/* --- moving what lies under another --- */

struct move {
	struct wrapped_key *people; /* as they are */
	struct str *wrapped;	    /* as they are to be; STR_NONE: it stays */
	size_t people_count;
	struct key_record *records;
	struct str *sealed; /* the same */
	size_t record_count;
	int64_t moved;
	int64_t left;
};

/* What does not open stays, and must not keep the others from being moved. */
static enum err note(struct task *task, struct move *move, enum err err, struct str id)
{
	if (err == ERR_CRYPTO) {
		log_error(task, "root_key.left", LOG_STR("key_of", id),
			  LOG_STR("reason", task->reason));
		task_forgive(task);
		move->left++;
		return OK;
	}
	move->moved += err == OK;
	return err;
}

static enum err prepare_people(struct task *task, const struct authority *authority,
			       struct move *move)
{
	move->wrapped = NEW_ARRAY(&task->arena, struct str, move->people_count);
	for (size_t i = 0; i < move->people_count; i++)
		TRY(note(task, move,
			 keys_rewrap_user_key(task, authority->keys, move->people[i].user_id,
					      move->people[i].bytes, &move->wrapped[i]),
			 move->people[i].user_id));
	return OK;
}

static enum err prepare_records(struct task *task, const struct authority *authority, struct db *db,
				struct move *move)
{
	uint32_t number = keys_root_number(authority->keys);

	TRY(key_row_list_sealed(task, db, &move->records, &move->record_count));
	move->sealed = NEW_ARRAY(&task->arena, struct str, move->record_count);
	for (size_t i = 0; i < move->record_count; i++) {
		const struct key_record *record = &move->records[i];

		if (keys_root_of(record->sealed) == number)
			continue;
		TRY(note(task, move,
			 keys_rewrap_signing_key(task, authority->keys, record, &move->sealed[i]),
			 record->id));
	}
	return OK;
}

static enum err write_move(struct task *task, struct db *db, void *arg)
{
	const struct move *move = arg;

	for (size_t i = 0; i < move->people_count; i++)
		if (move->wrapped[i].at != NULL)
			TRY(root_move_person(task, db, &move->people[i], move->wrapped[i]));
	for (size_t i = 0; i < move->record_count; i++)
		if (move->sealed[i].at != NULL)
			TRY(root_move_signing_key(task, db, &move->records[i], move->sealed[i]));
	return OK;
}

/* The next people, of one root after the other; none: the walk is over. */
static enum err find_people(struct task *task, struct db *db, struct root_walk *walk,
			    struct move *move)
{
	while (walk->number != 0) {
		const struct root_place from = { walk->number, str_from_c(walk->after) };

		if (walk->number != walk->to)
			TRY(root_list_people(task, db, &from, BATCH, &move->people,
					     &move->people_count));
		if (move->people_count > 0)
			return OK;
		walk->after[0] = '\0';
		TRY(root_next_of_people(task, db, walk->number, &walk->number));
	}
	return OK;
}

static enum err prepare(struct task *task, const struct authority *authority, struct db *db,
			struct root_walk *walk, struct move *move)
{
	if (walk->number == 0) {
		TRY(prepare_records(task, authority, db, move));
		TRY(root_next_of_people(task, db, 0, &walk->number));
	}
	TRY(find_people(task, db, walk, move));
	return prepare_people(task, authority, move);
}

static void go_on(const struct task *task, struct root_walk *walk, const struct move *move)
{
	walk->left += move->left;
	if (move->people_count > 0) {
		struct str last = move->people[move->people_count - 1].user_id;

		assert(last.len < sizeof(walk->after));
		memcpy(walk->after, last.at, last.len);
		walk->after[last.len] = '\0';
		return;
	}
	*walk = (struct root_walk){ .to = walk->to,
				    .rest_until = walk->left > 0 ? task->now + REST_MS : 0 };
}

enum err root_key_rewrap(struct task *task, const struct authority *authority,
			 struct root_walk *walk, bool *ret_more)
{
	struct move move = { 0 };
	struct db *db = NULL;

	*ret_more = false;
	TRY(root_key_follow(task, authority));
	if (walk->to != keys_root_number(authority->keys))
		*walk = (struct root_walk){ .to = keys_root_number(authority->keys) };
	if (walk->rest_until > task->now)
		return OK;
	TRY(store_reader(task, authority->store, &db));
	TRY(is_any_elsewhere(task, db, walk->to, ret_more));
	if (!*ret_more)
		return OK;
	TRY(prepare(task, authority, db, walk, &move));
	if (move.moved > 0) {
		TRY(store_write(task, authority->store, write_move, &move));
		log_info(task, "root_key.rewrapped", LOG_INT("keys", move.moved));
	}
	go_on(task, walk, &move);
	*ret_more = walk->rest_until <= task->now;
	return OK;
}
