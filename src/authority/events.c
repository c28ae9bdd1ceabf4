/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/events.h"

#include <stdlib.h>

#include "crypto/random.h"
#include "store/events.h"

struct event event_new(struct task *task, struct str kind, struct str actor)
{
	return (struct event){
		.id = random_id_at(&task->arena, "evt_", task->now),
		.at = task->now,
		.kind = kind,
		.actor = actor,
	};
}

static struct seal_place place_of(const struct user *user, const struct event *event)
{
	return (struct seal_place){
		.table = STR("events"),
		.row = event->id,
		.column = STR("sealed"),
		.user_id = user->id,
		.version = 1,
	};
}

enum err event_seal(struct task *task, const struct authority *authority, const struct user *user,
		    struct str personal, struct event *event)
{
	struct seal_place place = place_of(user, event);

	event->user_id = user->id;
	return keys_seal(task, authority->keys, user->wrapped_key, &place, personal,
			 &event->sealed);
}

enum err event_unseal(struct task *task, const struct authority *authority, const struct user *user,
		      const struct event *event, struct str *ret_personal)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct seal_place place = place_of(user, event);

	if (event->sealed.at == NULL) {
		*ret_personal = STR("");
		return OK;
	}
	TRY(keys_unseal(task, authority->keys, user->wrapped_key, &place, event->sealed, &plain));
	*ret_personal = str_copy(&task->arena, secret_reveal(&plain));
	return OK;
}

/* A task of its own, on the heap until the writer hands it home. */
struct record {
	struct task task;
	struct event event;
};

static enum err write_record(struct task *task, struct db *db, void *arg)
{
	struct record *record = arg;

	return event_insert(task, db, &record->event);
}

static void record_free(struct task *task)
{
	task_end(task);
	free(task);
}

/* Never called: home frees the task instead of going on. */
static enum err nothing_more(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

struct event event_copy(struct arena *arena, const struct event *event)
{
	return (struct event){
		.id = str_copy(arena, event->id),
		.at = event->at,
		.kind = str_copy(arena, event->kind),
		.actor = str_copy(arena, event->actor),
		.user_id = event->user_id.at ? str_copy(arena, event->user_id) : STR_NONE,
		.client_id = event->client_id.at ? str_copy(arena, event->client_id) : STR_NONE,
		.grant_id = event->grant_id.at ? str_copy(arena, event->grant_id) : STR_NONE,
		.family_id = event->family_id.at ? str_copy(arena, event->family_id) : STR_NONE,
		.request_id = event->request_id.at ? str_copy(arena, event->request_id) : STR_NONE,
		.resource = event->resource.at ? str_copy(arena, event->resource) : STR_NONE,
		.details = event->details.at ? str_copy(arena, event->details) : STR_NONE,
		.sealed = event->sealed.at ? str_copy(arena, event->sealed) : STR_NONE,
	};
}

static struct record *record_new(struct task *task, const struct event *event)
{
	struct record *record = calloc(1, sizeof(*record));
	struct arena *arena;

	if (record == NULL)
		abort();
	task_begin(&record->task, task->clock, task->log);
	arena = &record->task.arena;
	record->task.home = record_free;
	record->event = event_copy(arena, event);
	return record;
}

void event_record(struct task *task, const struct authority *authority, const struct event *event)
{
	struct record *record = record_new(task, event);

	if (store_submit(&record->task, authority->store, write_record, record, nothing_more) !=
	    ERR_PARKED)
		record_free(&record->task);
}
