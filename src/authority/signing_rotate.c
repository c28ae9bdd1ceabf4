/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key pairs are made before the transaction, for RSA takes long; what happens to those that are
 * there is decided inside it, behind the mark that all rotations step: two at once make one.
 */
#include "authority/events.h"
#include "authority/signing.h"
#include "base/log.h"
#include "store/events.h"
#include "store/key_rows.h"
#include "store/marks.h"

#define DETAILS_MAX (64 * 1024)
/* the least, for every node looks for new keys once a second */
#define AT_ONCE_MS (5 * SECOND_MS)

struct turn {
	const struct signing_wish *wish;
	const struct config *config;
	struct key_record *fresh; /* one per purpose */
	bool *is_made;		  /* beside each: it came to be */
	size_t count;
	bool is_by_age; /* only what is due, also when two nodes think so */
};

/* As the configuration wants it now; a resource that is gone keeps what it had. */
static enum alg alg_for(struct task *task, const struct config *config,
			const struct key_record *old)
{
	const struct str prefix = STR("resource:");
	const struct resource *resource = NULL;
	enum alg alg;

	if (str_starts_with(old->purpose, prefix))
		resource = config_find_resource_named(config, str_from(old->purpose, prefix.len));
	if (resource == NULL || alg_from_name(task, resource->token_alg, &alg) != OK) {
		task_forgive(task);
		return old->alg;
	}
	return alg;
}

static const struct key_record *find_of(const struct key_record *records, size_t count,
					struct str purpose)
{
	for (size_t i = count; i-- > 0;)
		if (str_equals(records[i].purpose, purpose))
			return &records[i];
	return NULL;
}

/* The one that was made and does not sign yet. */
static const struct key_record *find_waiting(const struct key_record *records, size_t count,
					     struct str purpose, int64_t now)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(records[i].purpose, purpose) && records[i].not_before > now)
			return &records[i];
	return NULL;
}

static const struct key_record *find_signing(const struct key_record *records, size_t count,
					     struct str purpose, int64_t now)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(records[i].purpose, purpose) &&
		    signing_state_at(records, count, &records[i], now) == SIGNING_SIGNS)
			return &records[i];
	return NULL;
}

static bool is_due(const struct key_record *records, size_t count, struct str purpose,
		   const struct config *config, int64_t now)
{
	const struct key_record *signs = find_signing(records, count, purpose, now);

	if (find_waiting(records, count, purpose, now) != NULL || signs == NULL)
		return false;
	return signs->not_before + config->signing_key_days * DAY_MS -
		       config->signing_key_lead_ms <=
	       now;
}

static bool ends_others(enum rotation_kind kind)
{
	return kind == SIGNING_COMPROMISED || kind == SIGNING_REPLACED;
}

static enum err write_event(struct task *task, struct db *db, const struct turn *turn,
			    const struct key_record *key, int64_t retire_at)
{
	bool is_end = turn->wish->kind == SIGNING_COMPROMISED;
	struct event event = event_new(task, is_end ? STR("keys.compromised") : STR("keys.rotated"),
				       turn->wish->actor.kind);
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	event.request_id = turn->wish->actor.request_id;
	json_open_object(&json);
	json_member_str(&json, "purpose", key->purpose);
	json_member_str(&json, "id", key->id);
	json_member_str(&json, "alg", alg_name(key->alg));
	json_member_str(&json, "signs_from", clock_format(&task->arena, key->not_before));
	json_member_str(&json, "others_retire_at", clock_format(&task->arena, retire_at));
	json_close(&json);
	TRY(buf_finish(&buf, &event.details));
	return event_insert(task, db, &event);
}

/* A key that waits to sign is not joined by a second one; wanted at once, it signs earlier. */
static enum err hasten_key(struct task *task, struct db *db, const struct turn *turn,
			   const struct key_record *waiting, struct key_record *key)
{
	if (turn->wish->kind == SIGNING_NORMAL)
		return failf(task, ERR_CONFLICT,
			     "the new key %.*s of \"%.*s\" signs from %.*s on; wait, or rotate at "
			     "once",
			     STR_FMT(waiting->id), STR_FMT(waiting->purpose),
			     STR_FMT(clock_format(&task->arena, waiting->not_before)));
	if (key->not_before > waiting->not_before)
		key->not_before = waiting->not_before;
	key->id = waiting->id;
	key->alg = waiting->alg;
	return key_row_begin(task, db, key->id, key->not_before);
}

/* The key that is to sign: a new one, or the one that waits. */
static enum err put_key(struct task *task, struct db *db, const struct turn *turn,
			const struct key_record *waiting, struct key_record *key)
{
	enum rotation_kind kind = turn->wish->kind;

	key->not_before = task->now;
	if (!ends_others(kind))
		key->not_before += AT_ONCE_MS;
	if (kind == SIGNING_NORMAL && turn->config->signing_key_lead_ms > AT_ONCE_MS)
		key->not_before = task->now + turn->config->signing_key_lead_ms;
	if (waiting != NULL && !ends_others(kind))
		return hasten_key(task, db, turn, waiting, key);
	return key_row_insert(task, db, key);
}

static enum err rotate_one(struct task *task, struct db *db, const struct turn *turn,
			   const struct key_record *fresh, bool *is_made)
{
	struct key_record *records = NULL, key = *fresh;
	size_t count = 0;
	int64_t retire_at;

	*is_made = false;
	TRY(key_row_list_live(task, db, &records, &count));
	if (turn->is_by_age && !is_due(records, count, key.purpose, turn->config, task->now))
		return OK;
	TRY(put_key(task, db, turn, find_waiting(records, count, key.purpose, task->now), &key));
	retire_at = ends_others(turn->wish->kind) ? task->now : key.not_before + SIGNING_OVERLAP_MS;
	TRY(key_row_retire_others(task, db, &key, retire_at));
	*is_made = true;
	return write_event(task, db, turn, &key, retire_at);
}

static enum err write_turn(struct task *task, struct db *db, void *arg)
{
	struct turn *turn = arg;

	TRY(mark_step(task, db, STR("keys")));
	for (size_t i = 0; i < turn->count; i++)
		TRY(rotate_one(task, db, turn, &turn->fresh[i], &turn->is_made[i]));
	return OK;
}

static bool is_wanted(const struct turn *turn, const struct key_record *records, size_t count,
		      struct str purpose, int64_t now)
{
	if (turn->wish->purpose.at != NULL && !str_equals(turn->wish->purpose, purpose))
		return false;
	return !turn->is_by_age || is_due(records, count, purpose, turn->config, now);
}

static enum err make_keys(struct task *task, const struct authority *authority, struct turn *turn)
{
	struct key_record *records = NULL;
	struct db *db = NULL;
	size_t count = 0;

	TRY(store_reader(task, authority->store, &db));
	TRY(key_row_list_live(task, db, &records, &count));
	turn->fresh = NEW_ARRAY(&task->arena, struct key_record, count);
	turn->is_made = NEW_ARRAY(&task->arena, bool, count);
	for (size_t i = 0; i < count; i++) {
		struct str purpose = records[i].purpose;

		/* the newest of each purpose speaks for it */
		if (find_of(records, count, purpose) != &records[i] ||
		    !is_wanted(turn, records, count, purpose, task->now))
			continue;
		TRY(keys_generate(task, authority->keys, purpose,
				  alg_for(task, turn->config, &records[i]),
				  &turn->fresh[turn->count]));
		turn->count++;
	}
	return OK;
}

static void say_rotated(struct task *task, const struct turn *turn)
{
	bool is_end = turn->wish->kind == SIGNING_COMPROMISED;

	for (size_t i = 0; i < turn->count; i++)
		if (turn->is_made[i])
			log_at(task, is_end ? LOG_WARNING : LOG_INFO,
			       is_end ? "keys.compromised" : "keys.rotated",
			       LOG_STR("purpose", turn->fresh[i].purpose));
}

static enum err take_turn(struct task *task, const struct authority *authority, struct turn *turn)
{
	TRY(turn->wish->kind == SIGNING_COMPROMISED
		    ? store_stop(task, authority->store, write_turn, turn)
		    : store_write(task, authority->store, write_turn, turn));
	say_rotated(task, turn);
	return signing_load(task, authority);
}

enum err signing_rotate(struct task *task, const struct authority *authority,
			const struct signing_wish *wish)
{
	struct turn *turn = NEW(&task->arena, struct turn);

	turn->wish = wish;
	turn->config = authority_config(authority);
	TRY(make_keys(task, authority, turn));
	if (turn->count == 0)
		return fail(task, ERR_NOT_FOUND,
			    "there are no signing keys of that purpose; grantctl keys list shows "
			    "which there are");
	return take_turn(task, authority, turn);
}

static enum err rotate_by_age(struct task *task, const struct authority *authority)
{
	static const struct signing_wish wish = { .actor = { .kind = STR_INIT("system") } };
	struct turn *turn = NEW(&task->arena, struct turn);

	turn->wish = &wish;
	turn->config = authority_config(authority);
	turn->is_by_age = true;
	if (turn->config->signing_key_days == 0)
		return OK;
	TRY(make_keys(task, authority, turn));
	return turn->count == 0 ? OK : take_turn(task, authority, turn);
}

static enum err write_wipe(struct task *task, struct db *db, void *arg)
{
	int64_t *wiped = arg;

	TRY(key_row_wipe(task, db, wiped));
	return *wiped == 0 ? OK : mark_step(task, db, STR("keys"));
}

/* Also out of the key holder's memory: it loads the keys again when the mark has moved. */
static enum err destroy_dead(struct task *task, const struct authority *authority)
{
	struct key_record *records = NULL;
	struct db *db = NULL;
	size_t count = 0;
	int64_t wiped = 0;
	bool is_any = false;

	TRY(store_reader(task, authority->store, &db));
	TRY(key_row_list(task, db, &records, &count));
	for (size_t i = 0; i < count; i++)
		is_any |= records[i].retire_at != 0 && records[i].retire_at <= task->now &&
			  records[i].sealed.len > 0;
	if (!is_any)
		return OK;
	TRY(store_write(task, authority->store, write_wipe, &wiped));
	return signing_follow(task, authority);
}

enum err signing_tend(struct task *task, const struct authority *authority)
{
	TRY(rotate_by_age(task, authority));
	return destroy_dead(task, authority);
}
