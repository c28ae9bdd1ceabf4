/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/events.h"

#include "admin/room.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/users.h"

static void write_event(struct json_writer *json, struct arena *arena, const struct event *event)
{
	json_member_str(json, "id", event->id);
	member_time(json, arena, "at", event->at);
	json_member_str(json, "kind", event->kind);
	json_member_str(json, "actor", event->actor);
	member_text(json, "user_id", event->user_id);
	member_text(json, "client_id", event->client_id);
	member_text(json, "grant_id", event->grant_id);
	member_text(json, "family_id", event->family_id);
	member_text(json, "request_id", event->request_id);
	member_text(json, "resource", event->resource);
	json_key(json, "details");
	if (event->details.len > 0)
		json_add_raw(json, event->details);
	else
		json_add_null(json);
}

static enum err take_filter(struct task *task, struct db *db, const struct list_query *query,
			    struct event_filter *ret_filter)
{
	struct event_filter filter = { .client_id = query->client,
				       .grant_id = query->grant,
				       .before = query->after };
	struct user user = { 0 };
	struct str name;

	if (query->after.at != NULL && !id_is_valid(query->after, "evt_"))
		return fail(task, ERR_REQUEST, "after is an event's id");
	if (query->grant.at != NULL && !id_is_valid(query->grant, "gra_"))
		return fail(task, ERR_REQUEST, "grant is a grant's id");
	if (query->user.at != NULL) {
		if (username_normalise(task, query->user, &name) != OK)
			return fail(task, ERR_NOT_FOUND, "there is no user of that name");
		TRY(user_find_by_name(task, db, name, &user));
		filter.user_id = user.id;
	}
	*ret_filter = filter;
	return OK;
}

enum err events_list(struct exchange *exchange)
{
	static const char *const allowed[] = { "after", "limit", "user", "client", "grant", NULL };
	struct task *task = &exchange->task;
	struct event_filter filter;
	struct event *events = NULL;
	struct list_query query;
	struct db *db = NULL;
	size_t count = 0;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(admin_query(exchange, allowed, &query));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(take_filter(task, db, &query, &filter));
	TRY(event_list(task, db, &filter, query.limit, &events, &count));
	json_open_object(&json);
	json_key(&json, "events");
	json_open_array(&json);
	for (size_t i = 0; i < count; i++) {
		json_open_object(&json);
		write_event(&json, &task->arena, &events[i]);
		json_close(&json);
	}
	json_close(&json);
	member_next(&json, count < (size_t)query.limit ? STR_NONE : events[count - 1].id);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

/* The personal details, where there are some and the person's key still opens them. */
static enum err find_personal(struct exchange *exchange, struct db *db, const struct event *event,
			      struct str *ret_personal)
{
	struct task *task = &exchange->task;
	struct user user = { 0 };

	*ret_personal = STR("");
	if (event->sealed.len == 0 || event->user_id.len == 0)
		return OK;
	TRY(user_find(task, db, event->user_id, &user));
	return event_unseal(task, admin_authority(exchange), &user, event, ret_personal);
}

enum err events_show(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct event event = { 0 };
	struct db *db = NULL;
	struct str id, personal;
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	TRY(admin_id(exchange, "evt_", &id));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(event_find(task, db, id, &event));
	TRY(find_personal(exchange, db, &event, &personal));
	json_open_object(&json);
	write_event(&json, &task->arena, &event);
	json_key(&json, "personal");
	if (personal.len > 0)
		json_add_raw(&json, personal);
	else
		json_add_null(&json);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}
