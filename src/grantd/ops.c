/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/ops.h"

#include <assert.h>

#include "crypto/keys.h"

#define RETRY_S STR("5")

static void answer_as(struct exchange *exchange, unsigned status, struct str type, struct str text)
{
	reply_with(exchange, status, type, text);
	reply_field(exchange, STR("Cache-Control"), STR("no-store"));
}

static void answer(struct exchange *exchange, unsigned status, struct str text)
{
	answer_as(exchange, status, STR("text/plain; charset=utf-8"), text);
}

static enum err livez(struct exchange *exchange)
{
	answer(exchange, 200, STR("ok\n"));
	return OK;
}

static enum err not_ready(struct exchange *exchange, struct str text)
{
	log_warning(&exchange->task, "health.not_ready", LOG_STR("reason", exchange->task.reason));
	answer(exchange, 503, text);
	return OK;
}

static enum err readyz(struct exchange *exchange)
{
	const struct ops *ops = exchange->door->context;
	struct task *task = &exchange->task;
	enum err err;

	if (ops->trouble.at != NULL) {
		answer(exchange, 503, STR_JOIN(&task->arena, ops->trouble, STR("\n")));
		return OK;
	}
	if (keys_check(task, ops->keys) != OK)
		return not_ready(exchange, STR_JOIN(&task->arena, task->reason, STR("\n")));
	err = store_ping(task, ops->store);
	if (err == ERR_FULL)
		return not_ready(exchange,
				 STR("the disk is full: only what stops something is kept\n"));
	if (err != OK)
		return not_ready(exchange, STR("the database does not answer\n"));
	answer(exchange, 200, STR("ok\n"));
	return OK;
}

static enum err metrics(struct exchange *exchange)
{
	const struct ops *ops = exchange->door->context;
	struct str text;

	TRY(metrics_write(&exchange->task, &ops->metrics, &text));
	answer_as(exchange, 200, STR(METRICS_TYPE), text);
	return OK;
}

static void refuse(struct exchange *exchange, enum err err)
{
	if (err == ERR_METHOD)
		answer(exchange, 405, STR("only GET\n"));
	else if (err == ERR_NOT_FOUND)
		answer(exchange, 404, STR("only /livez, /readyz and /metrics\n"));
	else
		answer(exchange, 503, STR("not now\n"));
}

static void refuse_all(struct exchange *exchange, enum err err)
{
	(void)err;
	answer(exchange, 503, STR("This service is being repaired. Please try again later.\n"));
	reply_field(exchange, STR("Retry-After"), RETRY_S);
}

static const struct route routes[] = {
	{ "GET", "/livez", livez, LANE_LOOP, 0 },
	{ "GET", "/readyz", readyz, LANE_STORE, 0 },
	{ "GET", "/metrics", metrics, LANE_STORE, 0 },
};

void ops_open(struct ops *ops, struct store *store, const struct keyring *keys, struct str trouble)
{
	assert((store != NULL && keys != NULL) || trouble.at != NULL);
	*ops = (struct ops){
		.store = store,
		.keys = keys,
		.trouble = trouble,
		.door = { .routes = routes,
			  .route_count = COUNT_OF(routes),
			  .context = ops,
			  .refuse = refuse },
		.closed = { .context = ops, .refuse = refuse_all },
	};
}
