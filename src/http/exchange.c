/* SPDX-License-Identifier: Apache-2.0 */
#include "http/exchange.h"

#include <stddef.h>

#include "http/exchange_step.h"

struct exchange *exchange_of(struct task *task)
{
	_Static_assert(offsetof(struct exchange, task) == 0, "a task is its exchange");
	return (struct exchange *)task;
}

void exchange_refuse(struct exchange *exchange, enum err err)
{
	struct reply *reply = &exchange->reply;

	if (exchange->door != NULL)
		exchange->door->refuse(exchange, err);
	if (reply->status == 0)
		reply_with(exchange, 500, STR("text/plain"), STR("internal error\n"));
	if (exchange->door != NULL && exchange->door->finish != NULL)
		exchange->door->finish(exchange);
}

enum err exchange_step(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	enum err err = task->then != NULL ? task_go_on(task) : exchange->route->run(exchange);

	/* it belongs to another thread now and may even be gone */
	if (err == ERR_PARKED)
		return ERR_PARKED;
	task->then = NULL;
	if (err == OK && exchange->reply.status == 0)
		err = fail(task, ERR_INTERNAL, "the handler left no answer");
	if (err != OK)
		exchange_refuse(exchange, err);
	else if (exchange->door->finish != NULL)
		exchange->door->finish(exchange);
	return OK;
}

void exchange_run(struct exchange *exchange)
{
	(void)!exchange_step(exchange);
}
