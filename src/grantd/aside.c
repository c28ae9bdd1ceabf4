/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/aside.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/task.h"

struct aside {
	pthread_t thread;
	bool has_thread;
	struct task task;
	aside_fn *work;
	void *arg;
	enum err result;
};

static void *run(void *arg)
{
	struct aside *aside = arg;

	aside->result = aside->work(&aside->task, aside->arg);
	return NULL;
}

static struct aside *aside_new(const struct task *task, aside_fn *work, void *arg)
{
	struct aside *aside = calloc(1, sizeof(*aside));

	if (aside == NULL)
		abort();
	aside->work = work;
	aside->arg = arg;
	task_begin(&aside->task, task->clock, task->log);
	return aside;
}

static void aside_free(struct aside **aside)
{
	task_end(&(*aside)->task);
	free(*aside);
	*aside = NULL;
}

struct aside *aside_start(struct task *task, aside_fn *work, void *arg)
{
	struct aside *aside = aside_new(task, work, arg);

	aside->has_thread = pthread_create(&aside->thread, NULL, run, aside) == 0;
	if (!aside->has_thread)
		(void)run(aside);
	return aside;
}

static void wait_for(const struct aside *aside)
{
	if (aside->has_thread)
		pthread_join(aside->thread, NULL);
}

enum err aside_join(struct task *task, struct aside **aside)
{
	enum err result;

	if (*aside == NULL)
		return OK;
	wait_for(*aside);
	result = (*aside)->result;
	if (result != OK && task->error == OK)
		task_note(task, result, str_copy(&task->arena, (*aside)->task.reason));
	aside_free(aside);
	return result;
}

void aside_forget(struct aside **aside)
{
	if (*aside == NULL)
		return;
	wait_for(*aside);
	aside_free(aside);
}
