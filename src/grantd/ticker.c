/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/ticker.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/task.h"

struct ticker {
	ticker_fn *round;
	void *context;
	int64_t every_ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_stopping;
};

/* Waits for the next round; false when it is time to end. */
static bool wait_for_next(struct ticker *ticker)
{
	int64_t until_ms = clock_monotonic() + ticker->every_ms;
	const struct timespec until = { .tv_sec = (time_t)(until_ms / SECOND_MS),
					.tv_nsec = (long)(until_ms % SECOND_MS) * 1000000 };
	bool goes_on;

	pthread_mutex_lock(&ticker->lock);
	while (!ticker->is_stopping &&
	       pthread_cond_timedwait(&ticker->wake, &ticker->lock, &until) == 0)
		;
	goes_on = !ticker->is_stopping;
	pthread_mutex_unlock(&ticker->lock);
	return goes_on;
}

static void *run(void *arg)
{
	struct ticker *ticker = arg;

	do {
		ticker->round(ticker->context);
	} while (wait_for_next(ticker));
	return NULL;
}

static struct ticker *ticker_new(int64_t every_ms, ticker_fn *round, void *context)
{
	struct ticker *ticker = calloc(1, sizeof(*ticker));
	pthread_condattr_t attributes;

	if (ticker == NULL)
		abort();
	ticker->round = round;
	ticker->context = context;
	ticker->every_ms = every_ms;
	pthread_mutex_init(&ticker->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ticker->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return ticker;
}

static void ticker_free(struct ticker *ticker)
{
	pthread_cond_destroy(&ticker->wake);
	pthread_mutex_destroy(&ticker->lock);
	free(ticker);
}

enum err ticker_start(struct task *task, int64_t every_ms, ticker_fn *round, void *context,
		      struct ticker **ret_ticker)
{
	struct ticker *ticker = ticker_new(every_ms, round, context);

	if (pthread_create(&ticker->thread, NULL, run, ticker) != 0) {
		ticker_free(ticker);
		return fail(task, ERR_INTERNAL, "a thread cannot be started");
	}
	*ret_ticker = ticker;
	return OK;
}

void ticker_stop(struct ticker **stopping)
{
	struct ticker *ticker = *stopping;

	*stopping = NULL;
	if (ticker == NULL)
		return;
	pthread_mutex_lock(&ticker->lock);
	ticker->is_stopping = true;
	pthread_cond_signal(&ticker->wake);
	pthread_mutex_unlock(&ticker->lock);
	pthread_join(ticker->thread, NULL);
	ticker_free(ticker);
}

bool ticker_is_due(int64_t *last, int64_t every_ms)
{
	int64_t now = clock_monotonic();

	if (*last != 0 && now - *last < every_ms)
		return false;
	*last = now;
	return true;
}

void ticker_step_begin(const struct ticker_home *home, const char *name, struct task *task)
{
	task_begin(task, home->clock, home->log);
	task->thread = home->thread;
	task_tag(task, "job", str_from_c(name));
}

void ticker_step_end(struct task *task, enum err result)
{
	if (result != OK)
		log_warning(task, "job.failed", LOG_STR("error", str_from_c(err_name(task->error))),
			    LOG_STR("reason", task->reason));
	task_end(task);
}
