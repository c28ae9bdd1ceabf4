/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody asked for but must be done: one thread that sweeps, tells resources of stops, notices
 * ends, rotates signing keys. */
#pragma once

#include "grantd/stop_work.h"

struct jobs;

enum job {
	JOB_EXPIRY,
	JOB_MARKS,
	JOB_ON_STOP,
	JOB_SWEEP,
	JOB_BACKLOG,
	JOB_FOLLOW, /* of keys that another node ended */
	JOB_TEND,   /* of keys by their age */
	JOB_CLOCK,  /* of a wall clock that was set */
	JOB_RETENTION,
	JOB_KEY_SETS, /* of agents, that they publish somewhere */
	JOB_REWRAP,   /* of keys under another root key than the current one */
	JOB_COUNT
};

/* For /metrics. Times are wall ms. */
struct jobs_figures {
	int64_t done_at[JOB_COUNT]; /* when it last ended well; 0: not yet */
	int64_t waiting;	    /* items of the outbox, as of JOB_BACKLOG */
	int64_t oldest;		    /* when the oldest of them was made; 0: there is none */
};

/* "expiry", "marks", … */
const char *job_name(enum job job);
/* From any thread. */
void jobs_look(const struct jobs *jobs, struct jobs_figures *ret_figures);

/* thread: the number of its read connection. Does nothing before jobs_start; for jobs_stop. */
struct jobs *jobs_new(struct task *task, const struct stop_worker *stop, unsigned thread);
/* The first round looks for what was left over. */
MUST_CHECK enum err jobs_start(struct task *task, struct jobs *jobs);
/* Ends the thread after the step it is in. Accepts NULL inside. */
void jobs_stop(struct jobs **jobs);
