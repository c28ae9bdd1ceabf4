/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/retention.h"

#include <string.h>

#include "authority/events.h"
#include "base/json.h"
#include "base/log.h"
#include "store/events.h"
#include "store/marks.h"
#include "store/retention.h"

#define SLICE	    500
#define DETAILS_MAX 512
#define EVERY_MS    DAY_MS
#define STRIDE_MS   (30 * DAY_MS)

struct step {
	const struct retention *retention;
	struct retention_slice slice;
};

static const struct {
	const char *name;
	enum err (*run)(struct task *task, struct db *db, struct retention_slice *slice);
	bool is_event;
} parts[RETENTION_PARTS] = {
	[RETENTION_FAMILIES] = { "installations", retention_families, false },
	[RETENTION_GRANTS] = { "grants", retention_grants, false },
	[RETENTION_EVENTS] = { "events", retention_events, true },
};

static enum err write_step(struct task *task, struct db *db, void *arg)
{
	struct step *step = arg;

	return parts[step->retention->part].run(task, db, &step->slice);
}

static enum err write_event(struct task *task, struct db *db, void *arg)
{
	return event_insert(task, db, arg);
}

static enum err write_mark(struct task *task, struct db *db, void *arg)
{
	const struct retention *retention = arg;

	TRY(mark_raise(task, db, STR("walked"), retention->began_at));
	return mark_raise(task, db, STR("retained"), retention->now);
}

/*
 * A mark from far ahead, left by a node with a wrong clock, does not count: it would end all walks.
 */
static bool is_too_soon(const struct task *task, int64_t walked)
{
	return task->now - walked < EVERY_MS && walked - task->now < EVERY_MS;
}

/* Leaves `now` 0 when it is too soon for a walk. */
static enum err begin(struct task *task, const struct authority *authority,
		      struct retention *retention)
{
	struct db *db = NULL;
	int64_t last = 0, walked = 0;

	TRY(store_reader(task, authority->store, &db));
	TRY(mark_find(task, db, STR("walked"), &walked));
	if (is_too_soon(task, walked))
		return OK;
	TRY(mark_find(task, db, STR("retained"), &last));
	retention->began_at = task->now;
	retention->now = last == 0 || task->now < last + STRIDE_MS ? task->now : last + STRIDE_MS;
	return OK;
}

static int64_t sum(const struct retention *retention)
{
	int64_t all = 0;

	for (int i = 0; i < RETENTION_PARTS; i++)
		all += retention->deleted[i];
	return all;
}

static enum err record(struct task *task, const struct authority *authority,
		       const struct retention *retention)
{
	struct event event = event_new(task, STR("retention.done"), STR("system"));
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	for (int i = 0; i < RETENTION_PARTS; i++)
		json_member_int(&json, parts[i].name, retention->deleted[i]);
	json_close(&json);
	TRY(buf_finish(&buf, &event.details));
	TRY(store_write(task, authority->store, write_event, &event));
	log_info(task, "retention.done", LOG_INT("rows", sum(retention)));
	return OK;
}

static enum err finish(struct task *task, const struct authority *authority,
		       struct retention *retention)
{
	if (sum(retention) > 0)
		TRY(record(task, authority, retention));
	TRY(store_write(task, authority->store, write_mark, retention));
	*retention = (struct retention){ 0 };
	return OK;
}

static void move_on(struct retention *retention, const struct retention_slice *slice)
{
	retention->deleted[retention->part] += slice->deleted;
	memset(retention->after, 0, sizeof(retention->after));
	if (slice->is_end)
		retention->part++;
	else if (slice->last.len < sizeof(retention->after))
		memcpy(retention->after, slice->last.at, slice->last.len);
}

enum err retention_step(struct task *task, const struct authority *authority,
			struct retention *retention, bool *ret_more)
{
	const struct config *config = authority_config(authority);
	struct step *step = NEW(&task->arena, struct step);
	int64_t keep;

	*ret_more = retention->part < RETENTION_PARTS;
	if (!*ret_more)
		return finish(task, authority, retention);
	if (retention->now == 0)
		TRY(begin(task, authority, retention));
	*ret_more = retention->now != 0;
	if (!*ret_more)
		return OK;
	keep = parts[retention->part].is_event ? config->keep_events_ms : config->keep_ended_ms;
	step->retention = retention;
	step->slice = (struct retention_slice){
		.after = str_copy(&task->arena, str_from_c(retention->after)),
		.before = retention->now - keep,
		.limit = SLICE,
	};
	TRY(store_write(task, authority->store, write_step, step));
	move_on(retention, &step->slice);
	return OK;
}
