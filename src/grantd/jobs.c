/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "authority/signing.h"
#include "grantd/stop_work.h"
#include "store/counters.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/requests.h"
#include "store/sessions.h"

#define TICK_MS		SECOND_MS
#define SWEEP_EVERY_MS	MINUTE_MS
#define MARK_EVERY_MS	MINUTE_MS
#define KEYS_EVERY_MS	MINUTE_MS
#define EXPIRE_EVERY_MS (5 * SECOND_MS)
#define LOOK_EVERY_MS	(10 * SECOND_MS)
#define CLOCK_JUMP_MS	MINUTE_MS
#define SWEEP_BATCH	200
#define SWEEP_BATCHES	50 /* in a row, then others get a turn */
/* a resource that hangs must not keep the other jobs waiting for long */
#define STOPS_IN_A_ROW 20
#define STOPS_MS       (15 * SECOND_MS)
/* for a first start, and for what another node wrote by a clock of its own */
#define LOOK_BACK_MS HOUR_MS
/* ended sessions tell for so long which browsers a person has used (throttling asks) */
#define SESSION_KEEP_MS (90 * DAY_MS)

struct jobs {
	const struct authority *authority;
	struct clock *clock;
	struct log *log;
	unsigned thread_number;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool is_stopping;

	int64_t swept_at;   /* monotonic */
	int64_t marked_at;  /* monotonic */
	int64_t expired_at; /* monotonic */
	int64_t tended_at;  /* monotonic */
	int64_t expired_to; /* wall: grants that ended up to here are dealt with */
	int64_t looked_at;  /* monotonic */
	int64_t wall_began; /* wall less monotonic time, as of the last look */
	bool has_told;	    /* an item of the outbox was due */

	/* what others may read */
	_Atomic int64_t done_at[JOB_COUNT];
	_Atomic int64_t waiting;
	_Atomic int64_t oldest;
};

enum sweep_kind { SWEEP_REQUESTS, SWEEP_SESSIONS, SWEEP_COUNTERS, SWEEP_COUNT };

struct sweep {
	enum sweep_kind kind;
	int64_t deleted;
};

static enum err write_sweep(struct task *task, struct db *db, void *arg)
{
	struct sweep *sweep = arg;

	switch (sweep->kind) {
	case SWEEP_REQUESTS:
		return auth_request_sweep(task, db, task->now, SWEEP_BATCH, &sweep->deleted);
	case SWEEP_SESSIONS:
		return session_sweep(task, db, task->now - SESSION_KEEP_MS, SWEEP_BATCH,
				     &sweep->deleted);
	case SWEEP_COUNTERS:
	case SWEEP_COUNT:
		break;
	}
	return counter_sweep(task, db, task->now, SWEEP_BATCH, &sweep->deleted);
}

/* In small transactions, so that nobody waits long behind one. */
static enum err sweep_all(struct task *task, struct jobs *jobs)
{
	for (int kind = 0; kind < SWEEP_COUNT; kind++) {
		struct sweep sweep = { .kind = (enum sweep_kind)kind, .deleted = SWEEP_BATCH };

		for (int i = 0; i < SWEEP_BATCHES && sweep.deleted == SWEEP_BATCH; i++)
			TRY(store_write(task, jobs->authority->store, write_sweep, &sweep));
	}
	return OK;
}

static enum err tell_resource(struct task *task, struct jobs *jobs)
{
	jobs->has_told = false;
	return stop_work(task, jobs->authority, &jobs->has_told);
}

/* Where a restart begins to look: nothing that ended while we were away was told. */
static enum err find_start(struct task *task, struct jobs *jobs)
{
	struct db *db = NULL;
	int64_t ends = 0;

	TRY(store_reader(task, jobs->authority->store, &db));
	TRY(mark_find(task, db, STR("ends"), &ends));
	jobs->expired_to = (ends == 0 ? task->now : ends) - LOOK_BACK_MS;
	return OK;
}

static enum err notice_ends(struct task *task, struct jobs *jobs)
{
	if (jobs->expired_to == 0)
		TRY(find_start(task, jobs));
	TRY(stop_expired(task, jobs->authority, jobs->expired_to));
	jobs->expired_to = task->now;
	return OK;
}

static enum err write_marks(struct task *task, struct db *db, void *arg)
{
	const struct jobs *jobs = arg;

	if (jobs->expired_to != 0)
		TRY(mark_raise(task, db, STR("ends"), jobs->expired_to));
	return mark_raise(task, db, STR("clock"), task->now);
}

/* What keeps the ended ended when the clock is set back is no luxury on a full disk. */
static enum err keep_marks(struct task *task, struct jobs *jobs)
{
	return store_stop(task, jobs->authority->store, write_marks, jobs);
}

/* Every second: an exposed key that another node has ended must be refused here too. */
static enum err follow_keys(struct task *task, struct jobs *jobs)
{
	return signing_follow(task, jobs->authority);
}

static enum err tend_keys(struct task *task, struct jobs *jobs)
{
	return signing_tend(task, jobs->authority);
}

static enum err look_at_outbox(struct task *task, struct jobs *jobs)
{
	int64_t waiting = 0, oldest = 0;
	struct db *db = NULL;

	TRY(store_reader(task, jobs->authority->store, &db));
	TRY(outbox_backlog(task, db, &waiting, &oldest));
	atomic_store(&jobs->waiting, waiting);
	atomic_store(&jobs->oldest, oldest);
	return OK;
}

/*
 * Between two looks a clock that nobody sets goes on as fast as time does. Set ahead, it ends early
 * what should have lasted, and the operator must hear of it.
 */
static enum err watch_clock(struct task *task, struct jobs *jobs)
{
	int64_t wall_began = clock_system() - clock_monotonic();
	int64_t moved = jobs->wall_began == 0 ? 0 : wall_began - jobs->wall_began;

	jobs->wall_began = wall_began;
	if (moved > CLOCK_JUMP_MS || moved < -CLOCK_JUMP_MS)
		log_error(task, "clock.jumped", LOG_INT("seconds", moved / SECOND_MS));
	return OK;
}

static const struct {
	const char *name;
	enum err (*run)(struct task *task, struct jobs *jobs);
} table[JOB_COUNT] = {
	[JOB_EXPIRY] = { "expiry", notice_ends },
	[JOB_MARKS] = { "marks", keep_marks },
	[JOB_ON_STOP] = { "on_stop", tell_resource },
	[JOB_SWEEP] = { "sweep", sweep_all },
	[JOB_BACKLOG] = { "backlog", look_at_outbox },
	[JOB_FOLLOW] = { "follow", follow_keys },
	[JOB_TEND] = { "keys", tend_keys },
	[JOB_CLOCK] = { "clock", watch_clock },
};

const char *job_name(enum job job)
{
	return table[job].name;
}

void jobs_look(const struct jobs *jobs, struct jobs_figures *ret_figures)
{
	for (int job = 0; job < JOB_COUNT; job++)
		ret_figures->done_at[job] = atomic_load(&jobs->done_at[job]);
	ret_figures->waiting = atomic_load(&jobs->waiting);
	ret_figures->oldest = atomic_load(&jobs->oldest);
}

/* One job with memory of its own; a failure is logged and the next round tries again. */
static void run_job(struct jobs *jobs, enum job job)
{
	struct task task;

	task_begin(&task, jobs->clock, jobs->log);
	task.thread = jobs->thread_number;
	task_tag(&task, "job", str_from_c(table[job].name));
	if (table[job].run(&task, jobs) == OK)
		atomic_store(&jobs->done_at[job], task.now);
	else
		log_warning(&task, "job.failed", LOG_STR("error", str_from_c(err_name(task.error))),
			    LOG_STR("reason", task.reason));
	task_end(&task);
}

static void tell_resources(struct jobs *jobs)
{
	int64_t until = clock_monotonic() + STOPS_MS;

	jobs->has_told = true;
	for (int i = 0; i < STOPS_IN_A_ROW && jobs->has_told && clock_monotonic() < until; i++)
		run_job(jobs, JOB_ON_STOP);
}

/* True when it is time again, or for the first time. */
static bool is_due(int64_t *last, int64_t every)
{
	int64_t now = clock_monotonic();

	if (*last != 0 && now - *last < every)
		return false;
	*last = now;
	return true;
}

static void run_round(struct jobs *jobs)
{
	run_job(jobs, JOB_CLOCK);
	if (is_due(&jobs->expired_at, EXPIRE_EVERY_MS))
		run_job(jobs, JOB_EXPIRY);
	if (is_due(&jobs->marked_at, MARK_EVERY_MS))
		run_job(jobs, JOB_MARKS);
	run_job(jobs, JOB_FOLLOW);
	if (is_due(&jobs->tended_at, KEYS_EVERY_MS))
		run_job(jobs, JOB_TEND);
	tell_resources(jobs);
	if (is_due(&jobs->swept_at, SWEEP_EVERY_MS))
		run_job(jobs, JOB_SWEEP);
	if (is_due(&jobs->looked_at, LOOK_EVERY_MS))
		run_job(jobs, JOB_BACKLOG);
}

/* Waits for the next round; false when it is time to end. */
static bool wait_for_next(struct jobs *jobs)
{
	int64_t until_ms = clock_monotonic() + TICK_MS;
	const struct timespec until = { .tv_sec = (time_t)(until_ms / SECOND_MS),
					.tv_nsec = (long)(until_ms % SECOND_MS) * 1000000 };
	bool goes_on;

	pthread_mutex_lock(&jobs->lock);
	while (!jobs->is_stopping && pthread_cond_timedwait(&jobs->wake, &jobs->lock, &until) == 0)
		;
	goes_on = !jobs->is_stopping;
	pthread_mutex_unlock(&jobs->lock);
	return goes_on;
}

static void *run(void *arg)
{
	struct jobs *jobs = arg;

	do {
		run_round(jobs);
	} while (wait_for_next(jobs));
	run_job(jobs, JOB_MARKS);
	return NULL;
}

static struct jobs *jobs_new(struct task *task, const struct authority *authority, unsigned thread)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));
	pthread_condattr_t attributes;

	if (jobs == NULL)
		abort();
	jobs->authority = authority;
	jobs->clock = task->clock;
	jobs->log = task->log;
	jobs->thread_number = thread;
	pthread_mutex_init(&jobs->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&jobs->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return jobs;
}

static void jobs_free(struct jobs *jobs)
{
	pthread_cond_destroy(&jobs->wake);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

enum err jobs_start(struct task *task, const struct authority *authority, unsigned thread,
		    struct jobs **ret_jobs)
{
	struct jobs *jobs = jobs_new(task, authority, thread);

	if (pthread_create(&jobs->thread, NULL, run, jobs) != 0) {
		jobs_free(jobs);
		return fail(task, ERR_INTERNAL, "a thread cannot be started");
	}
	*ret_jobs = jobs;
	return OK;
}

void jobs_stop(struct jobs **stopping)
{
	struct jobs *jobs = *stopping;

	*stopping = NULL;
	if (jobs == NULL)
		return;
	pthread_mutex_lock(&jobs->lock);
	jobs->is_stopping = true;
	pthread_cond_signal(&jobs->wake);
	pthread_mutex_unlock(&jobs->lock);
	pthread_join(jobs->thread, NULL);
	jobs_free(jobs);
}
