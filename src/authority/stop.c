/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/stop.h"

#include "crypto/random.h"
#include "store/grants.h"
#include "store/outbox.h"

#define PAYLOAD_MAX 4096
#define PAGE	    100

enum err stop_queue(struct task *task, struct db *db, const struct authority *authority,
		    const struct grant *grant, struct str username)
{
	const struct resource *resource = authority_resource(authority, grant->resource);
	struct buf buf = buf_in(&task->arena, PAYLOAD_MAX);
	struct json_writer json = json_write_to(&buf);
	struct outbox_item item = {
		.id = random_id(&task->arena, "out_"),
		.kind = STR("on_stop"),
		.user_id = grant->user_id,
		.due_at = task->now,
		.created_at = task->now,
	};

	if (resource == NULL || resource->on_stop_count == 0)
		return OK;
	json_open_object(&json);
	json_member_str(&json, "resource", resource->name);
	json_member_str(&json, "username", username);
	json_member_str(&json, "client", grant->client_id);
	json_member_str(&json, "grant", grant->id);
	json_close(&json);
	TRY(buf_finish(&buf, &item.payload));
	return outbox_insert(task, db, &item);
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
