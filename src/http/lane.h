/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: a bounded queue of exchanges and the workers that run their handlers, for what may block.
 * A worker that is done sends the exchange home to its loop; one that parked goes on there.
 */
#pragma once

#include "base/err.h"

struct clock;
struct http_lane;
struct http_lane_figures;
struct lane_queue;
struct task;

/* Threads are numbered from first_thread. None runs before lane_start. */
struct lane_queue *lane_new(const struct http_lane *plan, unsigned first_thread,
			    struct clock *clock);
/* ERR_INTERNAL when the system has no thread for it. */
MUST_CHECK enum err lane_start(struct task *task, struct lane_queue *lane);
/*
 * Gives the task away; ERR_BUSY when the queue is full, and then the caller keeps it. A task that
 * comes back for its next step has room always: connections bound those.
 */
MUST_CHECK enum err lane_push(struct lane_queue *lane, struct task *task);
/* How full it is, and how often it was full. From any thread. */
void lane_look(struct lane_queue *lane, struct http_lane_figures *ret_figures);
/* Runs what is queued, then joins the workers. */
void lane_stop(struct lane_queue *lane);
void lane_free(struct lane_queue **lane);
