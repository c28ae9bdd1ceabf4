/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/stop.h"

#include "authority/events.h"
#include "base/json.h"
#include "crypto/random.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/outbox.h"
#include "store/users.h"

#define PAYLOAD_MAX 4096
#define PAGE	    100
#define TO_SPREAD   STR("on_stop_client")

/* Whose grants an item is spread to, from where, and whether they end. */
struct spread {
	struct str client_id;
	struct str after;
	bool to_end;
};

static struct outbox_item new_item(struct task *task, struct str kind)
{
	return (struct outbox_item){
		.id = random_id(&task->arena, "out_"),
		.kind = kind,
		.due_at = task->now,
		.created_at = task->now,
	};
}

static bool is_told(const struct resource *resource)
{
	return resource != NULL && resource->on_stop_count > 0;
}

enum err stop_queue(struct task *task, struct db *db, const struct authority *authority,
		    const struct grant *grant, struct str username)
{
	const struct resource *resource = authority_resource(authority, grant->resource);
	struct buf buf = buf_in(&task->arena, PAYLOAD_MAX);
	struct json_writer json = json_write_to(&buf);
	struct outbox_item item = new_item(task, STR("on_stop"));

	if (!is_told(resource))
		return OK;
	item.user_id = grant->user_id;
	json_open_object(&json);
	json_member_str(&json, "resource", resource->name);
	json_member_str(&json, "username", username);
	json_member_str(&json, "client", grant->client_id);
	json_member_str(&json, "grant", grant->id);
	json_close(&json);
	TRY(buf_finish(&buf, &item.payload));
	return outbox_insert(task, db, &item);
}

enum err stop_queue_of(struct task *task, struct db *db, const struct authority *authority,
		       const struct grant *grant)
{
	struct user user = { 0 };

	if (!is_told(authority_resource(authority, grant->resource)))
		return OK;
	TRY(user_find(task, db, grant->user_id, &user));
	return stop_queue(task, db, authority, grant, user.username);
}

enum err stop_queue_found(struct task *task, struct db *db, const struct authority *authority,
			  struct str grant_id)
{
	struct grant grant = { 0 };

	TRY(grant_find_alone(task, db, grant_id, &grant));
	return stop_queue_of(task, db, authority, &grant);
}

enum err stop_queue_all(struct task *task, struct db *db, const struct authority *authority,
			struct str user_id, struct str username)
{
	struct str after = STR_NONE;
	struct grant *grants = NULL;
	size_t count = PAGE;

	while (count == PAGE) {
		TRY(grant_list(task, db, &(struct grant_page){ user_id, after, PAGE }, &grants,
			       &count));
		for (size_t i = 0; i < count; i++)
			if (grant_status_at(&grants[i], task->now) == GRANT_ACTIVE)
				TRY(stop_queue(task, db, authority, &grants[i], username));
		if (count > 0)
			after = grants[count - 1].id;
	}
	return OK;
}

static enum err queue_spread(struct task *task, struct db *db, const struct spread *spread)
{
	struct buf buf = buf_in(&task->arena, PAYLOAD_MAX);
	struct json_writer json = json_write_to(&buf);
	struct outbox_item item = new_item(task, TO_SPREAD);

	json_open_object(&json);
	json_member_str(&json, "client", spread->client_id);
	json_member_str(&json, "after", spread->after);
	json_member_bool(&json, "to_end", spread->to_end);
	json_close(&json);
	TRY(buf_finish(&buf, &item.payload));
	return outbox_insert(task, db, &item);
}

enum err stop_queue_client(struct task *task, struct db *db, struct str client_id)
{
	return queue_spread(task, db, &(struct spread){ client_id, STR(""), false });
}

enum err stop_end_client(struct task *task, struct db *db, struct str client_id)
{
	return queue_spread(task, db, &(struct spread){ client_id, STR(""), true });
}

bool stop_is_to_spread(const struct outbox_item *item)
{
	return str_equals(item->kind, TO_SPREAD);
}

static enum err queue_live(struct task *task, struct db *db, const struct authority *authority,
			   const struct grant *grant)
{
	if (grant_status_at(grant, task->now) != GRANT_ACTIVE)
		return OK;
	return stop_queue_of(task, db, authority, grant);
}

static enum err end_grant(struct task *task, struct db *db, const struct grant *grant)
{
	struct event event = event_new(task, STR("grant.revoked"), STR("agent"));
	bool is_now = false;

	TRY(grant_revoke(task, db, grant->id, task->now, STR("client"), &is_now));
	if (!is_now)
		return OK;
	event.user_id = grant->user_id;
	event.client_id = grant->client_id;
	event.grant_id = grant->id;
	event.resource = grant->resource;
	return event_insert(task, db, &event);
}

enum err stop_spread(struct task *task, struct db *db, const struct authority *authority,
		     const struct outbox_item *item)
{
	CLEANUP(json_unref) json_t *payload = NULL;
	struct client_page page = { .limit = PAGE };
	struct spread spread = { 0 };
	struct grant *grants = NULL;
	size_t count = 0;
	bool is_ours = false;

	TRY(outbox_delete(task, db, item, &is_ours));
	if (!is_ours)
		return OK;
	TRY(json_parse(task, item->payload, PAYLOAD_MAX, &payload));
	spread.client_id = page.client_id = json_get_str(payload, "client");
	spread.to_end = json_is_true(json_object_get(payload, "to_end"));
	page.after = json_get_str(payload, "after");
	TRY(grant_list_client(task, db, &page, &grants, &count));
	for (size_t i = 0; i < count; i++) {
		TRY(queue_live(task, db, authority, &grants[i]));
		if (spread.to_end)
			TRY(end_grant(task, db, &grants[i]));
	}
	if (count < PAGE)
		return OK;
	spread.after = grants[count - 1].id;
	return queue_spread(task, db, &spread);
}
