/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/events.h"

#include "authority/aside.h"
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

struct seal_order event_seal_order(const struct user *user, struct str personal,
				   struct event *event)
{
	event->user_id = user->id;
	return (struct seal_order){
		.wrapped = user->wrapped_key,
		.place = place_of(user, event),
		.plain = personal,
	};
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

static enum err write_record(struct task *task, struct db *db, void *arg)
{
	const struct event *event = arg;

	return event_insert(task, db, event);
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

void event_record(struct task *task, const struct authority *authority, const struct event *event)
{
	struct task *aside = aside_new(task);
	struct event *copy = NEW(&aside->arena, struct event);

	*copy = event_copy(&aside->arena, event);
	aside_submit(aside, authority, write_record, copy);
}
