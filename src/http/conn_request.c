/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conn.h"
#include "http/exchange_step.h"
#include "http/proxy.h"
#include "http/router.h"

#define LOGGED_PATH_MAX 512

void conn_begin(struct connection *c)
{
	struct work *work = c->work;
	struct exchange *exchange = &work->exchange;
	struct task *task = &exchange->task;
	const struct http_config *config = c->loop->config;

	task_begin(task, config->clock, config->log);
	task->tally = config->tally;
	task->home = loop_home;
	task->thread = c->loop->thread;
	task->deadline = c->loop->now + config->limits.task_ms;
	request_id_next(&c->loop->ids, work->id);
	exchange->request_id = (struct str){ work->id, REQUEST_ID_LEN };
	task_tag(task, "request_id", exchange->request_id);
	exchange->connection = c;
	exchange->route = NULL;
	exchange->door = NULL;
	exchange->reply.status = 0;
	exchange->reply.field_count = 0;
	exchange->reply.body = STR_NONE;
	exchange->reply.close = false;
	exchange->goes_on_in_lane = false;
	exchange->request.peer = c->peer;
	work->has_begun = true;
	c->is_last = c->is_refused = false;
}

enum err conn_step(struct connection *c)
{
	struct exchange *exchange = &c->work->exchange;
	struct lane_queue *lane = c->loop->lanes[exchange->route->lane];
	enum err err;

	if (lane == NULL)
		return exchange_step(exchange);
	/* before it is pushed: afterwards it is the worker's */
	if (c->state != CONN_ORPHAN)
		c->state = CONN_TASK;
	err = lane_push(lane, &exchange->task);
	if (err == OK)
		return ERR_PARKED;
	exchange_refuse(exchange, fail(&exchange->task, err, "too much to do at the moment"));
	return OK;
}

/* OK: the reply stands. ERR_PARKED: it will come home. */
static enum err run(struct connection *c)
{
	struct exchange *exchange = &c->work->exchange;
	const struct http_listener *listener = c->listener;
	enum err err = router_match(exchange, listener->doors, listener->door_count);

	if (err == OK)
		return conn_step(c);
	exchange_refuse(exchange, err);
	return OK;
}

enum step conn_dispatch(struct connection *c)
{
	const struct http_config *config = c->loop->config;
	struct work *work = c->work;

	timer_disarm(&c->timer);
	c->is_last = !head_keeps_alive(&work->head, &work->exchange.request);
	proxy_apply(&work->exchange.request, config->trusted_proxies, config->trusted_proxy_count);
	if (run(c) == OK)
		return conn_answer(c, NULL);
	c->state = CONN_TASK;
	return STEP_ON;
}

enum step conn_refuse(struct connection *c, unsigned status, const char *why)
{
	struct exchange *exchange = &c->work->exchange;

	timer_disarm(&c->timer);
	if (!c->work->has_begun) {
		c->work->began = c->loop->now;
		conn_begin(c);
	}
	if (status == 415)
		reply_field(exchange, STR("Accept-Encoding"), STR("identity"));
	reply_field(exchange, STR("Cache-Control"), STR("no-store"));
	reply_with(exchange, status, STR("text/plain"),
		   STR_JOIN(&exchange->task.arena, str_from_c(why), STR("\n")));
	c->is_last = c->is_refused = true;
	return conn_answer(c, why);
}

static struct str known(struct str text)
{
	return text.at == NULL ? STR("") : str_sub(text, 0, LOGGED_PATH_MAX);
}

static void log_request(struct connection *c, const char *why, int64_t took_ms)
{
	struct exchange *exchange = &c->work->exchange;
	struct log_field fields[] = {
		LOG_STR("method", known(exchange->request.method)),
		LOG_STR("path", known(exchange->request.path)),
		LOG_INT("status", exchange->reply.status),
		LOG_INT("ms", took_ms),
		LOG_STR("why", str_from_c(why)),
		{ .key = NULL },
	};

	if (why == NULL)
		fields[4].key = NULL;
	log_event(&exchange->task, LOG_INFO, "http.request", fields);
}

static bool has_field(const struct reply *reply, struct str name)
{
	for (size_t i = 0; i < reply->field_count; i++)
		if (str_equals_nocase(reply->fields[i].name, name))
			return true;
	return false;
}

enum step conn_answer(struct connection *c, const char *why)
{
	struct exchange *exchange = &c->work->exchange;
	int64_t took_ms;

	if (exchange->reply.status == 503 && !has_field(&exchange->reply, STR("Retry-After")) &&
	    exchange->reply.field_count < REPLY_FIELDS_MAX)
		reply_field(exchange, STR("Retry-After"), STR("1"));
	took_ms = clock_monotonic() - c->work->began;
	figures_count(&c->loop->figures, c->loop->config, c->listener, exchange, took_ms);
	log_request(c, why, took_ms);
	if (c->state == CONN_ORPHAN)
		return STEP_CLOSE;
	timer_disarm(&c->timer);
	c->is_last = c->is_last || exchange->reply.close || c->loop->is_draining;
	conn_prepare(c);
	c->state = CONN_WRITE;
	return STEP_ON;
}
