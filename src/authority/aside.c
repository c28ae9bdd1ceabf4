/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/aside.h"

#include <stdlib.h>

/* On the heap until the writer hands it home. */
static void aside_free(struct task *aside)
{
	task_end(aside);
	free(aside);
}

/* Never called: home frees the task instead of going on. */
static enum err nothing_more(struct task *task, enum err result, void *arg)
{
	(void)task;
	(void)arg;
	return result;
}

struct task *aside_new(const struct task *task)
{
	struct task *aside = calloc(1, sizeof(*aside));

	if (aside == NULL)
		abort(); /* out of memory ends the process (base/arena.h) */
	task_begin(aside, task->clock, task->log);
	aside->home = aside_free;
	return aside;
}

void aside_submit(struct task *aside, const struct authority *authority, write_fn *fn, void *arg)
{
	if (store_submit(aside, authority->store, fn, arg, nothing_more) != ERR_PARKED)
		aside_free(aside);
}

void aside_submit_stop(struct task *aside, const struct authority *authority, write_fn *fn,
		       void *arg)
{
	if (store_submit_stop(aside, authority->store, fn, arg, nothing_more) != ERR_PARKED)
		aside_free(aside);
}
