/* SPDX-License-Identifier: Apache-2.0 */
#include "knock.h"

#include <pthread.h>
#include <stdlib.h>

#include "http/exchange_step.h"
#include "http/router.h"

/* An exchange whose home is whoever waits in knock. */
struct visit {
	struct exchange exchange; /* first: home is told its task only */
	pthread_mutex_t lock;
	pthread_cond_t came;
	bool is_home;
};

static struct visit *visit_of(struct task *task)
{
	return (struct visit *)exchange_of(task);
}

static void come_home(struct task *task)
{
	struct visit *visit = visit_of(task);

	pthread_mutex_lock(&visit->lock);
	visit->is_home = true;
	pthread_cond_signal(&visit->came);
	pthread_mutex_unlock(&visit->lock);
}

static void wait_home(struct visit *visit)
{
	pthread_mutex_lock(&visit->lock);
	while (!visit->is_home)
		pthread_cond_wait(&visit->came, &visit->lock);
	visit->is_home = false;
	pthread_mutex_unlock(&visit->lock);
}

struct exchange *knock_new(struct world *world, const char *method, struct str target)
{
	struct visit *visit = calloc(1, sizeof(*visit));
	struct exchange *exchange = &visit->exchange;
	struct request *request = &exchange->request;
	size_t mark = str_find(target, '?');

	assert_non_null(visit);
	pthread_mutex_init(&visit->lock, NULL);
	pthread_cond_init(&visit->came, NULL);
	task_begin(&exchange->task, &world->clock.clock, world->home.task.log);
	exchange->task.home = come_home;
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

	if (err != OK)
		door->refuse(exchange, err);
	else
		while (exchange_step(exchange) == ERR_PARKED)
			wait_home(visit_of(&exchange->task));
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
	struct visit *visit;

	if (*exchange == NULL)
		return;
	visit = visit_of(&(*exchange)->task);
	task_end(&visit->exchange.task);
	pthread_cond_destroy(&visit->came);
	pthread_mutex_destroy(&visit->lock);
	free(visit);
	*exchange = NULL;
}
