/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/resource_record.h"

#include "authority/events.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "store/events.h"
#include "store/resource_rows.h"

#define DETAILS_MAX 512

struct change {
	const char *kind; /* of the event */
	struct resource_row row;
	bool is_now; /* not another node's doing */
};

struct changes {
	struct change *list;
	size_t count;
};

static const struct resource_row *find_row(const struct resource_row *rows, size_t count,
					   struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static void add(struct changes *changes, const char *kind, struct str name, struct str uri,
		struct str file_hash)
{
	changes->list[changes->count++] = (struct change){ .kind = kind,
							   .row = { name, uri, file_hash } };
}

static void compare(const struct config *config, const struct resource_row *rows, size_t count,
		    struct changes *changes)
{
	for (size_t i = 0; i < config->resource_count; i++) {
		const struct resource *now = &config->resources[i];
		const struct resource_row *row = find_row(rows, count, now->name);

		if (row == NULL)
			add(changes, "resource.added", now->name, now->uri, now->file_hash);
		else if (!str_equals(row->file_hash, now->file_hash))
			add(changes, "resource.changed", now->name, now->uri, now->file_hash);
	}
	for (size_t i = 0; i < count; i++)
		if (config_find_resource_named(config, rows[i].name) == NULL)
			add(changes, "resource.removed", rows[i].name, rows[i].uri,
			    rows[i].file_hash);
}

static enum err write_event(struct task *task, struct db *db, const struct change *change)
{
	struct event event = event_new(task, str_from_c(change->kind), STR("operator"));
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	event.resource = change->row.uri;
	json_open_object(&json);
	json_member_str(&json, "name", change->row.name);
	json_member_str(&json, "sha256", change->row.file_hash);
	json_close(&json);
	TRY(buf_finish(&buf, &event.details));
	return event_insert(task, db, &event);
}

static enum err write_change(struct task *task, struct db *db, struct change *change)
{
	if (str_equals(str_from_c(change->kind), STR("resource.removed")))
		TRY(resource_row_delete(task, db, change->row.name, &change->is_now));
	else
		TRY(resource_row_put(task, db, &change->row, &change->is_now));
	return change->is_now ? write_event(task, db, change) : OK;
}

static enum err write_changes(struct task *task, struct db *db, void *arg)
{
	const struct changes *changes = arg;

	for (size_t i = 0; i < changes->count; i++)
		TRY(write_change(task, db, &changes->list[i]));
	return OK;
}

enum err resources_record(struct task *task, struct store *store, const struct config *config)
{
	struct resource_row *rows = NULL;
	struct changes changes = { 0 };
	struct db *db = NULL;
	size_t count = 0;

	TRY(store_reader(task, store, &db));
	TRY(resource_row_list(task, db, &rows, &count));
	changes.list = NEW_ARRAY(&task->arena, struct change, config->resource_count + count);
	compare(config, rows, count, &changes);
	if (changes.count == 0)
		return OK;
	TRY(store_write(task, store, write_changes, &changes));
	for (size_t i = 0; i < changes.count; i++)
		if (changes.list[i].is_now)
			log_info(task, changes.list[i].kind,
				 LOG_STR("name", changes.list[i].row.name),
				 LOG_STR("sha256", changes.list[i].row.file_hash));
	return OK;
}
