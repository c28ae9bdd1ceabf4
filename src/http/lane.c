/* SPDX-License-Identifier: Apache-2.0 */
#include "http/lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/task.h"
#include "http/exchange_step.h"
#include "http/figures.h"
#include "http/server.h"

struct worker {
	struct lane_queue *lane;
	pthread_t thread;
	unsigned number;
};

struct lane_queue {
	pthread_mutex_t lock; /* around what follows, up to clock */
	pthread_cond_t filled;
	struct task *first, *last;
	unsigned waiting;
	uint64_t refused;
	bool is_stopping;

	struct clock *clock;
	unsigned room;
	int niceness;
	unsigned started;
	unsigned worker_count;
	struct worker workers[];
};

struct lane_queue *lane_new(const struct http_lane *plan, unsigned first_thread,
			    struct clock *clock)
{
	struct lane_queue *lane = calloc(1, sizeof(*lane) + plan->workers * sizeof(struct worker));

	if (lane == NULL)
		abort();
	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->filled, NULL);
	lane->clock = clock;
	lane->room = plan->queue;
	lane->niceness = plan->niceness;
	lane->worker_count = plan->workers;
	for (unsigned i = 0; i < plan->workers; i++) {
		lane->workers[i].lane = lane;
		lane->workers[i].number = first_thread + i;
	}
	return lane;
}

/* The next task, or NULL when the lane has ended. */
static struct task *take(struct lane_queue *lane)
{
	struct task *task;

	pthread_mutex_lock(&lane->lock);
	while (lane->first == NULL && !lane->is_stopping)
		pthread_cond_wait(&lane->filled, &lane->lock);
	task = lane->first;
	if (task != NULL) {
		lane->first = task->next;
		lane->waiting--;
	}
	pthread_mutex_unlock(&lane->lock);
	return task;
}

static void *work(void *argument)
{
	const struct worker *worker = argument;
	struct task *task;

	/* of this thread alone, on Linux; where it is not allowed, all are equal as before */
	if (worker->lane->niceness != 0)
		(void)setpriority(PRIO_PROCESS, 0, worker->lane->niceness);
	while ((task = take(worker->lane)) != NULL) {
		task->next = NULL;
		task->thread = worker->number;
		task->now = clock_wall(worker->lane->clock);
		if (exchange_step(exchange_of(task)) != ERR_PARKED)
			task->home(task);
	}
	return NULL;
}

enum err lane_start(struct task *task, struct lane_queue *lane)
{
	for (; lane->started < lane->worker_count; lane->started++) {
		struct worker *worker = &lane->workers[lane->started];

		if (pthread_create(&worker->thread, NULL, work, worker) != 0)
			return fail(task, ERR_INTERNAL, "no thread for a worker");
	}
	return OK;
}

enum err lane_push(struct lane_queue *lane, struct task *task)
{
	enum err err = OK;

	pthread_mutex_lock(&lane->lock);
	/* who comes back was let in before, and may have used up what it came with */
	if (lane->waiting >= lane->room && task->then == NULL) {
		err = ERR_BUSY;
		lane->refused++;
	} else {
		task->next = NULL;
		if (lane->first == NULL)
			lane->first = task;
		else
			lane->last->next = task;
		lane->last = task;
		lane->waiting++;
		pthread_cond_signal(&lane->filled);
	}
	pthread_mutex_unlock(&lane->lock);
	return err;
}

void lane_look(struct lane_queue *lane, struct http_lane_figures *ret_figures)
{
	pthread_mutex_lock(&lane->lock);
	*ret_figures = (struct http_lane_figures){ .workers = lane->worker_count,
						   .waiting = lane->waiting,
						   .room = lane->room,
						   .refused = lane->refused };
	pthread_mutex_unlock(&lane->lock);
}

void lane_stop(struct lane_queue *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->is_stopping = true;
	pthread_cond_broadcast(&lane->filled);
	pthread_mutex_unlock(&lane->lock);
	for (; lane->started > 0; lane->started--)
		pthread_join(lane->workers[lane->started - 1].thread, NULL);
}

void lane_free(struct lane_queue **lane)
{
	if (*lane == NULL)
		return;
	pthread_cond_destroy(&(*lane)->filled);
	pthread_mutex_destroy(&(*lane)->lock);
	free(*lane);
	*lane = NULL;
}
