/* SPDX-License-Identifier: Apache-2.0 */
#include "knock.h"

#include <stdlib.h>

#include "http/router.h"

struct exchange *knock_new(struct world *world, const char *method, struct str target)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	struct request *request = &exchange->request;
	size_t mark = str_find(target, '?');

	assert_non_null(exchange);
	task_begin(&exchange->task, &world->clock.clock, world->home.task.log);
	request->method = str_from_c(method);
	request->target = str_copy(&exchange->task.arena, target);
	request->path = str_sub(request->target, 0, mark);
	request->query = mark < target.len ? str_from(request->target, mark + 1) : STR_NONE;
	request->version_minor = 1;
	exchange->request_id = STR("abcdefghijklmnopqrstuvwxyz");
	return exchange;
}

void knock_field(struct exchange *exchange, struct str name, struct str value)
{
	if (value.at != NULL)
		exchange->request.fields[exchange->request.field_count++] =
			(struct http_field){ name, value };
}

void knock_body(struct exchange *exchange, struct str type, struct str body)
{
	exchange->request.body = str_copy(&exchange->task.arena, body);
	knock_field(exchange, STR("Content-Type"), type);
}

unsigned knock(struct exchange *exchange, const struct door *door)
{
	enum err err = router_match(exchange, &door, 1);

	if (err == OK)
		exchange_run(exchange);
	else
		door->refuse(exchange, err);
	return exchange->reply.status;
}

struct str knock_answer_field(const struct exchange *exchange, const char *name)
{
	const struct reply *reply = &exchange->reply;

	for (size_t i = 0; i < reply->field_count; i++)
		if (str_equals_nocase(reply->fields[i].name, str_from_c(name)))
			return reply->fields[i].value;
	return STR_NONE;
}

void knock_free(struct exchange **exchange)
{
	if (*exchange == NULL)
		return;
	task_end(&(*exchange)->task);
	free(*exchange);
	*exchange = NULL;
}
