/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/stop_work.h"

#include "authority/events.h"
#include "authority/stop.h"
#include "base/json.h"
#include "config/file.h"
#include "http/client.h"
#include "store/events.h"
#include "store/grants.h"
#include "store/outbox.h"
#include "store/resource_rows.h"
#include "store/users.h"

#define LIMIT_MS 10000
/* longer than LIMIT_MS, so that nobody else takes it meanwhile */
#define LEASE_MS       (60 * SECOND_MS)
#define RETRY_FIRST_MS (5 * SECOND_MS)
#define RETRY_MAX_MS   HOUR_MS
#define GIVE_UP_MS     DAY_MS
#define ANSWER_MAX     (64 * 1024)
#define PAYLOAD_MAX    (16 * 1024)
#define EXPIRED_BATCH  100
#define CA_MAX	       (1024 * 1024)

/* What an item says, borrowed from its JSON. */
struct stop_order {
	struct str resource;
	struct str username;
	struct str client;
	struct str grant;
};

static enum err read_order(struct task *task, const struct outbox_item *item, json_t **ret_payload,
			   struct stop_order *ret_order)
{
	TRY(json_parse(task, item->payload, PAYLOAD_MAX, ret_payload));
	ret_order->resource = json_get_str(*ret_payload, "resource");
	ret_order->username = json_get_str(*ret_payload, "username");
	ret_order->client = json_get_str(*ret_payload, "client");
	ret_order->grant = json_get_str(*ret_payload, "grant");
	if (ret_order->resource.at == NULL || ret_order->username.at == NULL)
		return fail(task, ERR_INTERNAL, "an outbox item without resource or user");
	return OK;
}

static enum err call_url(struct task *task, const struct resource *resource, struct str ca_file,
			 const struct outbox_item *item)
{
	static const struct str fields[] = { STR_INIT("Content-Type: application/json") };
	struct http_call call = {
		.method = STR("POST"),
		.url = resource->on_stop[0],
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.body = item->payload,
		.extra_ca_file = ca_file,
		.answer_max = ANSWER_MAX,
		.timeout_ms = LIMIT_MS,
	};
	struct http_answer answer = { 0 };

	/* read by us and not by libcurl, for it may be where only others can open files */
	if (!str_is_empty(ca_file))
		TRY(file_read(task, ca_file, CA_MAX, &call.extra_ca));
	TRY(http_client_call(task, &call, &answer));
	if (answer.status < 200 || answer.status > 299)
		return failf(task, ERR_IO, "it answered %u", answer.status);
	return OK;
}

/*
 * The operator took on_stop or the resource away since: then nothing is left to be told. Or another
 * node has taken up newer files than ours, and it knows how to tell: then the item waits for it.
 */
static enum err expect_nothing_to_tell(struct task *task, const struct authority *authority,
				       const struct resource *resource,
				       const struct stop_order *order)
{
	struct resource_row *rows = NULL;
	struct db *db = NULL;
	size_t count = 0;

	TRY(store_reader(task, authority->store, &db));
	TRY(resource_row_list(task, db, &rows, &count));
	for (size_t i = 0; i < count; i++) {
		if (!str_equals(rows[i].name, order->resource))
			continue;
		if (resource == NULL || !str_equals(rows[i].file_hash, resource->file_hash))
			return fail(task, ERR_CONFIG,
				    "this node's resource files are not those last taken up");
	}
	return OK;
}

static enum err do_item(struct task *task, const struct stop_worker *worker,
			const struct outbox_item *item, const struct stop_order *order)
{
	const struct authority *authority = worker->authority;
	const struct stop_names names = { order->resource, order->username, order->client };
	const struct config *config = authority_config(authority);
	const struct resource *resource = config_find_resource_named(config, order->resource);

	if (resource == NULL || resource->on_stop_count == 0)
		return expect_nothing_to_tell(task, authority, resource, order);
	if (str_starts_with(resource->on_stop[0], STR("https://")))
		return call_url(task, resource, config->extra_ca_file, item);
	return worker->run(task, worker->context, &names);
}

struct taking {
	struct outbox_item item;
	int64_t retry_at;
};

static enum err write_take(struct task *task, struct db *db, void *arg)
{
	struct taking *taking = arg;

	return outbox_take(task, db, task->now, taking->retry_at, &taking->item);
}

struct outcome {
	const struct outbox_item *item;
	struct event event;
	bool is_over;
	int64_t due_at;
};

static enum err write_outcome(struct task *task, struct db *db, void *arg)
{
	const struct outcome *outcome = arg;

	bool is_ours = false;

	if (!outcome->is_over)
		return outbox_defer(task, db, outcome->item, outcome->due_at);
	TRY(outbox_delete(task, db, outcome->item, &is_ours));
	/* another node took it over: the outcome is that one's to tell */
	return is_ours ? event_insert(task, db, &outcome->event) : OK;
}

static int64_t retry_after(int64_t attempts)
{
	int64_t wait = RETRY_FIRST_MS;

	for (int64_t i = 1; i < attempts && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	return wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS;
}

static enum err record(struct task *task, const struct authority *authority,
		       const struct outbox_item *item, const struct stop_order *order, enum err err)
{
	struct outcome outcome = {
		.item = item,
		.due_at = task->now + retry_after(item->attempts),
		.is_over = err == OK || task->now - item->created_at >= GIVE_UP_MS,
	};
	const struct resource *resource = config_find_resource_named(authority_config(authority),
								     order->resource);

	outcome.event = event_new(task, err == OK ? STR("stop.done") : STR("stop.failed"),
				  STR("system"));
	outcome.event.user_id = item->user_id;
	outcome.event.client_id = order->client;
	outcome.event.grant_id = order->grant;
	outcome.event.resource = resource == NULL ? STR_NONE : resource->uri;
	if (err == OK)
		log_info(task, "stop.done", LOG_STR("resource", order->resource),
			 LOG_STR("grant", order->grant));
	else
		log_warning(task, outcome.is_over ? "stop.given_up" : "stop.failed",
			    LOG_STR("resource", order->resource), LOG_STR("grant", order->grant),
			    LOG_INT("attempts", item->attempts), LOG_STR("reason", task->reason));
	return store_stop(task, authority->store, write_outcome, &outcome);
}

struct spreading {
	const struct authority *authority;
	const struct outbox_item *item;
};

static enum err write_spread(struct task *task, struct db *db, void *arg)
{
	const struct spreading *spreading = arg;

	return stop_spread(task, db, spreading->authority, spreading->item);
}

static enum err tell(struct task *task, const struct stop_worker *worker,
		     const struct outbox_item *item)
{
	CLEANUP(json_unref) json_t *payload = NULL;
	struct stop_order order = { 0 };
	enum err err = read_order(task, item, &payload, &order);

	if (err == OK)
		err = do_item(task, worker, item, &order);
	/* it may have taken a while, and the next attempt counts from now */
	task->now = clock_wall(task->clock);
	return record(task, worker->authority, item, &order, err);
}

enum err stop_work(struct task *task, const struct stop_worker *worker, bool *ret_worked)
{
	const struct authority *authority = worker->authority;
	struct taking taking = { .retry_at = task->now + LEASE_MS };
	struct spreading spreading = { authority, &taking.item };
	enum err err = store_stop(task, authority->store, write_take, &taking);

	*ret_worked = false;
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	*ret_worked = true;
	if (stop_is_to_spread(&taking.item))
		return store_stop(task, authority->store, write_spread, &spreading);
	return tell(task, worker, &taking.item);
}

/* One grant that ran out. */
struct expiry {
	const struct authority *authority;
	struct str grant_id;
	struct event event;
};

/* The event says that it was done: a restart looks back further than it would have to. */
static enum err is_recorded(struct task *task, struct db *db, const struct grant *grant,
			    bool *ret_is)
{
	struct event_filter filter = { .user_id = grant->user_id,
				       .grant_id = grant->id,
				       .since = grant->expires_at };
	struct event *events = NULL;
	size_t count = 0;

	*ret_is = false;
	TRY(event_list(task, db, &filter, EXPIRED_BATCH, &events, &count));
	for (size_t i = 0; i < count; i++)
		if (str_equals(events[i].kind, STR("grant.expired")))
			*ret_is = true;
	return OK;
}

/* Judged with the row in hand: another node does the same, and its person may give it more time. */
static enum err write_expiry(struct task *task, struct db *db, void *arg)
{
	const struct expiry *expiry = arg;
	struct event event = expiry->event;
	struct grant grant = { 0 };
	bool is_done = false;

	TRY(grant_take(task, db, expiry->grant_id));
	TRY(grant_find(task, db, expiry->grant_id, &grant));
	if (grant_status_at(&grant, task->now) != GRANT_EXPIRED)
		return OK;
	TRY(is_recorded(task, db, &grant, &is_done));
	if (is_done)
		return OK;
	TRY(stop_queue_of(task, db, expiry->authority, &grant));
	event.user_id = grant.user_id;
	event.client_id = grant.client_id;
	event.grant_id = grant.id;
	event.resource = grant.resource;
	return event_insert(task, db, &event);
}

static enum err expire(struct task *task, const struct authority *authority,
		       const struct grant *grant)
{
	struct expiry expiry = { .authority = authority,
				 .grant_id = grant->id,
				 .event = event_new(task, STR("grant.expired"), STR("system")) };
	struct db *db = NULL;
	bool is_done = false;

	TRY(store_reader(task, authority->store, &db));
	TRY(is_recorded(task, db, grant, &is_done));
	if (is_done)
		return OK;
	return store_stop(task, authority->store, write_expiry, &expiry);
}

enum err stop_expired(struct task *task, const struct authority *authority, int64_t from)
{
	int64_t limit = EXPIRED_BATCH;
	struct grant *grants = NULL;
	struct db *db = NULL;
	size_t count = 0;

	/*
	 * many end at the same midnight, so a place in time is no place in the list: ask for more
	 * instead
	 */
	for (;; limit *= 2) {
		TRY(store_reader(task, authority->store, &db));
		TRY(grant_list_expired(task, db, &(struct grant_span){ from, task->now, limit },
				       &grants, &count));
		for (size_t i = 0; i < count; i++)
			TRY(expire(task, authority, &grants[i]));
		if (count < (size_t)limit)
			return OK;
	}
}
