/* SPDX-License-Identifier: Apache-2.0 */
#include "base/task.h"

#include <assert.h>

void task_begin(struct task *task, struct clock *clock, struct log *log)
{
	*task = (struct task){ .clock = clock, .log = log, .now = clock_wall(clock) };
}

void task_end(struct task *task)
{
	arena_free(&task->arena);
}

enum err task_park(struct task *task, then_fn *then, void *arg)
{
	assert(task->then == NULL);
	task->then = then;
	task->arg = arg;
	return ERR_PARKED;
}

enum err task_go_on(struct task *task)
{
	then_fn *then = task->then;

	task->then = NULL;
	return then(task, task->result, task->arg);
}

void task_resume(struct task *task, enum err result)
{
	task->result = result;
	task->home(task);
}

void task_tag(struct task *task, const char *key, struct str value)
{
	for (size_t i = 0; i < task->field_count; i++) {
		if (str_equals(str_from_c(task->fields[i].key), str_from_c(key))) {
			task->fields[i].text = value;
			return;
		}
	}
	if (task->field_count < TASK_LOG_FIELDS)
		task->fields[task->field_count++] = (struct log_field){ .key = key, .text = value };
}

void task_note(struct task *task, enum err err, struct str reason)
{
	task->error = err;
	task->reason = reason;
}

void task_forgive(struct task *task)
{
	task->error = OK;
	task->reason = STR_NONE;
}
