/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One piece of work from its first line to its last: a request, a job, a command. It carries its
 * memory, its time, its log fields and the reason of its failure down the call tree.
 *
 * A task is owned by one thread at a time and changes hands only through queues. Who hands it over
 * answers ERR_PARKED; the new owner calls task_resume when done, and the task's home then calls
 * `then` on its own thread, which goes on as if it were the next line (and may park again).
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#define TASK_LOG_FIELDS 8

struct tally;
struct task;

/*
 * The next step of a parked task: how the step that it waited for ended, and what task_park was
 * given.
 */
typedef enum err then_fn(struct task *task, enum err result, void *arg);

struct task {
	struct arena arena;
	struct clock *clock;
	struct log *log;
	struct tally *tally; /* NULL: what is counted of it interests nobody */
	int64_t now; /* wall ms when the task (or its current step) began; fixed within a step */
	int64_t deadline; /* monotonic ms */
	/* the number of the thread that owns it now: which read connection is its own */
	unsigned thread;

	struct log_field fields[TASK_LOG_FIELDS];
	size_t field_count;

	enum err error;	   /* the last failure noted */
	struct str reason; /* why, in our own words; may be shown to the asker, so never a secret */

	then_fn *then;
	void *arg;
	enum err result;
	/* queues the task to the thread that owns its connection */
	void (*home)(struct task *task);
	struct task *next; /* link for whichever queue holds it */
};

/* clock and log must outlive the task. Starts with now = clock_wall. */
void task_begin(struct task *task, struct clock *clock, struct log *log);
/* Frees the task's memory. */
void task_end(struct task *task);

/* Parks: remembers the next step. The caller then gives the task away and answers ERR_PARKED. */
enum err task_park(struct task *task, then_fn *then, void *arg);
/* The home's part: the next step of a task that came back; the task may park again. */
enum err task_go_on(struct task *task);
/* Hands a parked task home. The caller must not touch it afterwards. */
void task_resume(struct task *task, enum err result);

/* A field for every later log line of this task; the value is borrowed for the task's life. */
void task_tag(struct task *task, const char *key, struct str value);

/* Notes why; the first reason of a failure stays when callers pass the error on. */
void task_note(struct task *task, enum err err, struct str reason);
/* Forgets a noted failure that was dealt with. */
void task_forgive(struct task *task);

#define fail(task, err, why) (task_note((task), (err), STR(why)), (err))
/* With a formatted reason (cut at 1 KiB). */
#define failf(task, err, ...)                                                                      \
	(task_note((task), (err), str_printf(&(task)->arena, __VA_ARGS__)), (err))
