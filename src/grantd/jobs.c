/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/jobs.h"

#include <stdlib.h>

#include "authority/key_sets.h"
#include "authority/registration.h"
#include "authority/root_key.h"
#include "authority/signing.h"
#include "crypto/password_memory.h"
#include "crypto/random.h"
#include "grantd/retention.h"
#include "grantd/stop_work.h"
#include "grantd/ticker.h"
#include "store/counters.h"
#include "store/derivations.h"
#include "store/documents.h"
#include "store/leases.h"
#include "store/marks.h"
#include "store/outbox.h"
#include "store/register_tokens.h"
#include "store/requests.h"
#include "store/sessions.h"
#include "store/spent.h"
#include "store/throttle_rows.h"

#define TICK_MS		SECOND_MS
#define SWEEP_EVERY_MS	MINUTE_MS
#define SWEEP_LEASE_MS	(3 * MINUTE_MS)
#define MARK_EVERY_MS	MINUTE_MS
#define KEYS_EVERY_MS	MINUTE_MS
#define EXPIRE_EVERY_MS (5 * SECOND_MS)
#define LOOK_EVERY_MS	(10 * SECOND_MS)
#define CLOCK_JUMP_MS	MINUTE_MS
/* tokens to register with that ran out, for the operator to look at */
#define KEEP_TOKENS_MS (30 * DAY_MS)
#define SWEEP_BATCH    200
#define SWEEP_BATCHES  50 /* in a row, then others get a turn */
/* of a document whose client nobody needs */
#define KEEP_DOCUMENTS_MS (7 * DAY_MS)
/* a resource that hangs must not keep the other jobs waiting for long */
#define STOPS_IN_A_ROW 20
#define STOPS_MS       (15 * SECOND_MS)
/* for a first start, and for what another node wrote by a clock of its own */
#define LOOK_BACK_MS HOUR_MS
/* so many slices of the daily walk, then others get a turn */
#define SLICES_IN_A_ROW 10
/* batches of keys that are moved to another root key, then others get a turn */
#define MOVES_IN_A_ROW 5
#define WALK_LOOK_MS   HOUR_MS

struct jobs {
	const struct authority *authority;
	struct stop_worker stop;
	struct ticker_home home;
	struct ticker *ticker;
	struct arena arena;
	struct str id; /* by which leases know us */

	int64_t swept_at;   /* monotonic */
	int64_t marked_at;  /* monotonic */
	int64_t expired_at; /* monotonic */
	int64_t tended_at;  /* monotonic */
	int64_t expired_to; /* wall: grants that ended up to here are dealt with */
	int64_t looked_at;  /* monotonic */
	int64_t wall_began; /* wall less monotonic time, as of the last look */
	int64_t walked_at;  /* monotonic: when it was last asked whether a walk is due */
	bool is_walking;
	struct retention walk;
	struct root_walk keys_walk;
	bool has_told; /* an item of the outbox was due */

	/* what others may read */
	_Atomic int64_t done_at[JOB_COUNT];
	_Atomic int64_t waiting;
	_Atomic int64_t oldest;
};

enum sweep_kind {
	SWEEP_REQUESTS,
	SWEEP_SESSIONS,
	SWEEP_COUNTERS,
	SWEEP_THROTTLES,
	SWEEP_SPENT,
	SWEEP_DERIVATIONS,
	SWEEP_SUB_AGENTS,
	SWEEP_REGISTRATIONS,
	SWEEP_REGISTER_TOKENS,
	SWEEP_DOCUMENTS,
	SWEEP_COUNT
};

struct sweep {
	const struct authority *authority;
	enum sweep_kind kind;
	int64_t keep_sessions_ms;
	int64_t deleted;
	struct expired expired; /* of SWEEP_REGISTRATIONS */
};

static enum err sweep_registrations(struct task *task, struct db *db, struct sweep *sweep)
{
	TRY(registration_expire(task, db, sweep->authority, SWEEP_BATCH, &sweep->expired));
	sweep->deleted = sweep->expired.listed;
	return OK;
}

static enum err write_sweep(struct task *task, struct db *db, void *arg)
{
	struct sweep *sweep = arg;

	switch (sweep->kind) {
	case SWEEP_REQUESTS:
		return auth_request_sweep(task, db, task->now, SWEEP_BATCH, &sweep->deleted);
	case SWEEP_SESSIONS:
		return session_sweep(task, db, task->now - sweep->keep_sessions_ms, SWEEP_BATCH,
				     &sweep->deleted);
	case SWEEP_THROTTLES:
		return throttle_row_sweep(task, db, task->now, SWEEP_BATCH, &sweep->deleted);
	case SWEEP_SPENT:
		return spent_sweep(task, db, task->now, SWEEP_BATCH, &sweep->deleted);
	case SWEEP_DERIVATIONS:
		/* a node whose clock is behind still takes the subject that was exchanged */
		return derivation_sweep(task, db, task->now - MINUTE_MS, SWEEP_BATCH,
					&sweep->deleted);
	case SWEEP_SUB_AGENTS:
		/* a day longer than they could act: people look who it was */
		return sub_agent_sweep(task, db, task->now - DAY_MS, SWEEP_BATCH, &sweep->deleted);
	case SWEEP_REGISTRATIONS:
		return sweep_registrations(task, db, sweep);
	case SWEEP_REGISTER_TOKENS:
		return register_token_sweep(task, db, task->now - KEEP_TOKENS_MS, SWEEP_BATCH,
					    &sweep->deleted);
	case SWEEP_DOCUMENTS:
		return document_sweep(task, db, task->now - KEEP_DOCUMENTS_MS, SWEEP_BATCH,
				      &sweep->deleted);
	case SWEEP_COUNTERS:
	case SWEEP_COUNT:
		break;
	}
	return counter_sweep(task, db, task->now, SWEEP_BATCH, &sweep->deleted);
}

static enum err write_lease(struct task *task, struct db *db, void *arg)
{
	return lease_take(task, db, arg, task->now);
}

/* One node sweeps for all; who stops doing it is relieved after a while. */
static enum err is_our_turn(struct task *task, const struct jobs *jobs, bool *ret_is)
{
	struct lease lease = { .name = STR("sweep"),
			       .holder = jobs->id,
			       .ends_at = task->now + SWEEP_LEASE_MS };
	struct store *store = jobs->authority->store;
	enum err err = store_is_shared(store) ? store_write(task, store, write_lease, &lease) : OK;

	*ret_is = err == OK;
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		err = OK;
	}
	return err;
}

/* In small transactions, so that nobody waits long behind one. */
static enum err sweep_all(struct task *task, struct jobs *jobs)
{
	int64_t keep_sessions_ms = authority_config(jobs->authority)->keep_sessions_ms;
	bool is_ours = false;

	TRY(is_our_turn(task, jobs, &is_ours));
	for (int kind = 0; is_ours && kind < SWEEP_COUNT; kind++) {
		struct sweep sweep = { .authority = jobs->authority,
				       .kind = (enum sweep_kind)kind,
				       .keep_sessions_ms = keep_sessions_ms,
				       .deleted = SWEEP_BATCH };

		for (int i = 0; i < SWEEP_BATCHES && sweep.deleted == SWEEP_BATCH; i++) {
			TRY(store_write(task, jobs->authority->store, write_sweep, &sweep));
			registration_tell_expired(task, &sweep.expired);
		}
	}
	return OK;
}

static enum err tell_resource(struct task *task, struct jobs *jobs)
{
	jobs->has_told = false;
	return stop_work(task, &jobs->stop, &jobs->has_told);
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
	return root_key_follow_all(task, jobs->authority);
}

static enum err tend_keys(struct task *task, struct jobs *jobs)
{
	return signing_tend(task, jobs->authority);
}

/* Begun by the node that sweeps. */
static enum err walk_on(struct task *task, struct jobs *jobs)
{
	bool is_ours = true;

	if (jobs->is_walking && jobs->walk.now == 0)
		TRY(is_our_turn(task, jobs, &is_ours));
	jobs->is_walking = jobs->is_walking && is_ours;
	for (int i = 0; i < SLICES_IN_A_ROW && jobs->is_walking; i++)
		TRY(retention_step(task, jobs->authority, &jobs->walk, &jobs->is_walking));
	return OK;
}

/* Several nodes may do it side by side: what one has moved, the other finds moved. */
static enum err move_keys(struct task *task, struct jobs *jobs)
{
	bool is_more = true;

	for (int i = 0; i < MOVES_IN_A_ROW && is_more; i++)
		TRY(root_key_rewrap(task, jobs->authority, &jobs->keys_walk, &is_more));
	return OK;
}

static enum err read_key_sets(struct task *task, struct jobs *jobs)
{
	return key_sets_round(task, jobs->authority);
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
	[JOB_RETENTION] = { "retention", walk_on },
	[JOB_KEY_SETS] = { "key_sets", read_key_sets },
	[JOB_REWRAP] = { "rewrap", move_keys },
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

static void run_job(struct jobs *jobs, enum job job)
{
	struct task task;
	enum err err;

	ticker_step_begin(&jobs->home, table[job].name, &task);
	err = table[job].run(&task, jobs);
	if (err == OK)
		atomic_store(&jobs->done_at[job], task.now);
	ticker_step_end(&task, err);
}

static void tell_resources(struct jobs *jobs)
{
	int64_t until = clock_monotonic() + STOPS_MS;

	jobs->has_told = true;
	for (int i = 0; i < STOPS_IN_A_ROW && jobs->has_told && clock_monotonic() < until; i++)
		run_job(jobs, JOB_ON_STOP);
}

static void run_round(void *context)
{
	struct jobs *jobs = context;

	run_job(jobs, JOB_CLOCK);
	if (ticker_is_due(&jobs->expired_at, EXPIRE_EVERY_MS))
		run_job(jobs, JOB_EXPIRY);
	if (ticker_is_due(&jobs->marked_at, MARK_EVERY_MS))
		run_job(jobs, JOB_MARKS);
	run_job(jobs, JOB_FOLLOW);
	if (ticker_is_due(&jobs->tended_at, KEYS_EVERY_MS))
		run_job(jobs, JOB_TEND);
	run_job(jobs, JOB_KEY_SETS);
	tell_resources(jobs);
	if (ticker_is_due(&jobs->swept_at, SWEEP_EVERY_MS))
		run_job(jobs, JOB_SWEEP);
	if (ticker_is_due(&jobs->looked_at, LOOK_EVERY_MS)) {
		run_job(jobs, JOB_BACKLOG);
		password_memory_rest(clock_monotonic());
	}
	if (ticker_is_due(&jobs->walked_at, WALK_LOOK_MS))
		jobs->is_walking = true;
	run_job(jobs, JOB_RETENTION);
	run_job(jobs, JOB_REWRAP);
}

struct jobs *jobs_new(struct task *task, const struct stop_worker *stop, unsigned thread)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs == NULL)
		abort();
	jobs->authority = stop->authority;
	jobs->stop = *stop;
	jobs->home = (struct ticker_home){ task->clock, task->log, thread };
	jobs->id = random_id(&jobs->arena, "job_");
	return jobs;
}

static void jobs_free(struct jobs **jobs)
{
	arena_free(&(*jobs)->arena);
	free(*jobs);
	*jobs = NULL;
}

enum err jobs_start(struct task *task, struct jobs *jobs)
{
	return ticker_start(task, TICK_MS, run_round, jobs, &jobs->ticker);
}

void jobs_stop(struct jobs **jobs)
{
	if (*jobs == NULL)
		return;
	ticker_stop(&(*jobs)->ticker);
	key_sets_rest((*jobs)->authority);
	run_job(*jobs, JOB_MARKS);
	jobs_free(jobs);
}
