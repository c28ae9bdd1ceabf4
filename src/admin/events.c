/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/events.h"

#include "admin/room.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/users.h"

static enum err write_event(struct exchange *exchange, struct json_writer *json, const void *item)
{
	const struct event *event = item;

	json_member_str(json, "id", event->id);
	member_time(json, &exchange->task.arena, "at", event->at);
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
	return OK;
}

static const struct list_shape list_shape = { "events", sizeof(struct event),
					      offsetof(struct event, id), write_event };

static enum err take_filter(struct exchange *exchange, const struct list_query *query,
			    struct event_filter *ret_filter)
{
	struct task *task = &exchange->task;
	struct event_filter filter = { .client_id = query->client,
				       .grant_id = query->grant,
				       .before = query->after };
	struct user user = { 0 };

	if (query->after.at != NULL && !id_is_valid(query->after, "evt_"))
		return fail(task, ERR_REQUEST, "after is an event's id");
	if (query->grant.at != NULL && !id_is_valid(query->grant, "gra_"))
		return fail(task, ERR_REQUEST, "grant is a grant's id");
	if (query->user.at != NULL) {
		TRY(admin_find_user(exchange, query->user, &user));
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

	TRY(admin_query(exchange, allowed, &query));
	TRY(take_filter(exchange, &query, &filter));
	TRY(store_reader(task, admin_authority(exchange)->store, &db));
	TRY(event_list(task, db, &filter, query.limit, &events, &count));
	return admin_answer_list(exchange, &list_shape, events, count, query.limit);
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
	TRY(write_event(exchange, &json, &event));
	json_key(&json, "personal");
	if (personal.len > 0)
		json_add_raw(&json, personal);
	else
		json_add_null(&json);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}
