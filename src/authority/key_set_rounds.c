/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs' part of key sets: what is due is read, a few at a time, each in a task of its own. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authority/key_set_read.h"
#include "model/document.h"

#define AT_A_TIME   8 /* of the calls out that there may be, people's readings need some too */
#define MISSES_MOST 64
/* most hosts answer at once; so long the other jobs wait for all of a round together */
#define ROUND_MS 500
#define LOOK_MS	 200 /* and for one host */
/* one that nobody uses, or that may not be read, is looked at again so much later */
#define UNUSED_MS HOUR_MS

struct miss {
	size_t len;
	char client_id[DOCUMENT_URL_MAX];
};

/* One reading. Its task comes home to the jobs, not to a loop. */
struct errand {
	struct task task; /* first: a task that comes home is its errand */
	struct key_sets *key_sets;
	struct key_set_reading reading;
	struct errand *next;
};

struct key_sets {
	pthread_mutex_t lock; /* around what follows, up to the empty line */
	pthread_cond_t came_home;
	struct errand *home; /* a list */
	struct miss misses[MISSES_MOST];
	size_t miss_count;

	size_t under_way; /* the jobs' own */
};

struct key_sets *key_sets_new(void)
{
	struct key_sets *key_sets = calloc(1, sizeof(*key_sets));
	pthread_condattr_t attributes;

	if (key_sets == NULL)
		abort();
	pthread_mutex_init(&key_sets->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&key_sets->came_home, &attributes);
	pthread_condattr_destroy(&attributes);
	return key_sets;
}

void key_sets_free(struct key_sets **key_sets)
{
	if (*key_sets == NULL)
		return;
	pthread_cond_destroy(&(*key_sets)->came_home);
	pthread_mutex_destroy(&(*key_sets)->lock);
	free(*key_sets);
	*key_sets = NULL;
}

/* --- kids that are not there --- */

static bool is_missed_locked(const struct key_sets *key_sets, struct str client_id)
{
	for (size_t i = 0; i < key_sets->miss_count; i++) {
		const struct miss *miss = &key_sets->misses[i];

		if (str_equals((struct str){ miss->client_id, miss->len }, client_id))
			return true;
	}
	return false;
}

/* Where there are too many, the next assertion of that client says it again. */
void key_sets_note_miss(struct key_sets *key_sets, struct str client_id)
{
	struct miss *miss;

	if (client_id.len > sizeof(miss->client_id))
		return;
	pthread_mutex_lock(&key_sets->lock);
	if (key_sets->miss_count < MISSES_MOST && !is_missed_locked(key_sets, client_id)) {
		miss = &key_sets->misses[key_sets->miss_count++];
		memcpy(miss->client_id, client_id.at, client_id.len);
		miss->len = client_id.len;
	}
	pthread_mutex_unlock(&key_sets->lock);
}

static size_t take_misses(struct task *task, struct key_sets *key_sets, struct str *ids)
{
	size_t count;

	pthread_mutex_lock(&key_sets->lock);
	count = key_sets->miss_count;
	for (size_t i = 0; i < count; i++) {
		const struct miss *miss = &key_sets->misses[i];

		ids[i] = str_copy(&task->arena, (struct str){ miss->client_id, miss->len });
	}
	key_sets->miss_count = 0;
	pthread_mutex_unlock(&key_sets->lock);
	return count;
}

struct hurry {
	struct str ids[MISSES_MOST];
	size_t count;
};

/* Of what several nodes and many assertions say, the first counts. */
static enum err write_hurry(struct task *task, struct db *db, void *arg)
{
	const struct hurry *hurry = arg;

	for (size_t i = 0; i < hurry->count; i++)
		TRY(key_set_hurry(task, db, hurry->ids[i], task->now - KEY_SET_RETRY_MS,
				  task->now));
	return OK;
}

static enum err hurry_misses(struct task *task, const struct authority *authority)
{
	struct hurry *hurry = NEW(&task->arena, struct hurry);

	hurry->count = take_misses(task, authority->key_sets, hurry->ids);
	return hurry->count == 0 ? OK : store_write(task, authority->store, write_hurry, hurry);
}

/* --- one errand --- */

static void come_home(struct task *task)
{
	struct errand *errand = (void *)task;
	struct key_sets *key_sets = errand->key_sets;

	pthread_mutex_lock(&key_sets->lock);
	errand->next = key_sets->home;
	key_sets->home = errand;
	pthread_cond_signal(&key_sets->came_home);
	pthread_mutex_unlock(&key_sets->lock);
}

static struct errand *errand_new(const struct task *task, const struct authority *authority,
				 const struct key_set_due *due)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (errand == NULL)
		abort();
	task_begin(&errand->task, task->clock, task->log);
	errand->task.thread = task->thread;
	errand->task.home = come_home;
	errand->key_sets = authority->key_sets;
	errand->reading.authority = authority;
	errand->reading.place = (struct key_set_place){
		.client_id = str_copy(&errand->task.arena, due->client_id),
		.uri = str_copy(&errand->task.arena, due->uri),
		.is_operators = due->is_operators,
	};
	return errand;
}

static void errand_free(struct errand **errand)
{
	task_end(&(*errand)->task);
	free(*errand);
	*errand = NULL;
}

static enum err write_problem(struct task *task, struct db *db, void *arg)
{
	const struct key_set_reading *reading = arg;

	return key_set_note_problem(task, db, &reading->row);
}

static enum err keep(struct task *task, struct key_set_reading *reading)
{
	TRY(store_write(task, reading->authority->store, key_set_keep, reading));
	if (reading->is_news)
		log_info(task, "keys.read", LOG_STR("client", reading->place.client_id),
			 LOG_STR("uri", reading->place.uri));
	return OK;
}

/* The last good set stays where it is. */
static enum err note_problem(struct task *task, struct key_set_reading *reading)
{
	log_warning(task, "keys.not_read", LOG_STR("client", reading->place.client_id),
		    LOG_STR("uri", reading->place.uri), LOG_STR("reason", task->reason));
	reading->row.problem = str_is_text(task->reason) ? task->reason : STR("not text");
	return store_write(task, reading->authority->store, write_problem, reading);
}

static enum err arrived(struct task *task, enum err result, void *arg)
{
	struct key_set_reading *reading = arg;

	if (key_set_judge(task, reading, result) == OK)
		return keep(task, reading);
	return note_problem(task, reading);
}

static void end(struct errand *errand, enum err err)
{
	struct task *task = &errand->task;

	if (err != OK)
		log_warning(task, "job.failed", LOG_STR("error", str_from_c(err_name(task->error))),
			    LOG_STR("reason", task->reason));
	errand_free(&errand);
}

/* --- the round --- */

/* Those that have come home, waiting for one so long; NULL: none. */
static struct errand *take_home(struct key_sets *key_sets, int64_t wait_ms)
{
	int64_t until_ms = clock_monotonic() + wait_ms;
	const struct timespec until = { .tv_sec = (time_t)(until_ms / SECOND_MS),
					.tv_nsec = (long)(until_ms % SECOND_MS) * 1000000 };
	struct errand *list;

	pthread_mutex_lock(&key_sets->lock);
	while (key_sets->home == NULL && wait_ms > 0 &&
	       pthread_cond_timedwait(&key_sets->came_home, &key_sets->lock, &until) == 0)
		;
	list = key_sets->home;
	key_sets->home = NULL;
	pthread_mutex_unlock(&key_sets->lock);
	return list;
}

/* True if some had come. */
static bool finish(struct key_sets *key_sets, int64_t wait_ms)
{
	struct errand *errand = take_home(key_sets, wait_ms), *next;
	bool has_come = errand != NULL;

	for (; errand != NULL; errand = next) {
		next = errand->next;
		key_sets->under_way--;
		end(errand, task_go_on(&errand->task));
	}
	return has_come;
}

struct claiming {
	struct key_set_due due;
	int64_t tried_at;
	int64_t due_at;
	bool is_ours;
};

static enum err write_claim(struct task *task, struct db *db, void *arg)
{
	struct claiming *claiming = arg;

	return key_set_claim(task, db, &claiming->due, claiming->tried_at, claiming->due_at,
			     &claiming->is_ours);
}

static enum err claim(struct task *task, const struct authority *authority,
		      struct claiming *claiming)
{
	const struct key_set_due *due = &claiming->due;
	const struct key_set_place place = { due->client_id, due->uri, due->is_operators };
	bool is_useful = due->is_needed &&
			 key_set_check_place(task, authority_config(authority), &place) == OK;

	task_forgive(task);
	claiming->tried_at = task->now;
	claiming->due_at = task->now + (is_useful ? KEY_SET_RETRY_MS : UNUSED_MS);
	return store_write(task, authority->store, write_claim, claiming);
}

/* Too many calls are out, maybe to that host alone: nobody's fault, and not for long. */
static enum err put_off(struct task *task, const struct authority *authority,
			struct claiming *claiming)
{
	claiming->due.due_at = claiming->due_at;
	claiming->tried_at = 0;
	claiming->due_at = task->now + SECOND_MS;
	return store_write(task, authority->store, write_claim, claiming);
}

static enum err begin(struct task *task, const struct authority *authority,
		      const struct key_set_due *due)
{
	struct claiming claiming = { .due = *due };
	struct errand *errand;
	enum err err;

	TRY(claim(task, authority, &claiming));
	if (!claiming.is_ours || !due->is_needed)
		return OK;
	errand = errand_new(task, authority, due);
	err = key_set_read(&errand->task, &errand->reading, arrived, &errand->reading);
	if (err == ERR_PARKED) {
		authority->key_sets->under_way++;
		return OK;
	}
	if (err == ERR_BUSY) {
		errand_free(&errand);
		return put_off(task, authority, &claiming);
	}
	end(errand, note_problem(&errand->task, &errand->reading));
	return OK;
}

/* *ret_more: some were due. */
static enum err begin_due(struct task *task, const struct authority *authority, bool *ret_more)
{
	size_t room = AT_A_TIME - authority->key_sets->under_way, count = 0;
	struct key_set_due *list = NULL;
	struct db *db = NULL;

	*ret_more = false;
	if (room == 0)
		return OK;
	TRY(store_reader(task, authority->store, &db));
	TRY(key_set_list_due(task, db, task->now, (int64_t)room, &list, &count));
	for (size_t i = 0; i < count; i++)
		TRY(begin(task, authority, &list[i]));
	*ret_more = count > 0;
	return OK;
}

/* What is left of the round, for one look. */
static int64_t look_ms(int64_t until_ms)
{
	int64_t left = until_ms - clock_monotonic();

	return left < LOOK_MS ? left : LOOK_MS;
}

/* What does not come home in time is kept by the next round. */
enum err key_sets_round(struct task *task, const struct authority *authority)
{
	struct key_sets *key_sets = authority->key_sets;
	int64_t until_ms = clock_monotonic() + ROUND_MS;
	bool has_more = true;

	(void)finish(key_sets, 0);
	TRY(hurry_misses(task, authority));
	while (has_more && look_ms(until_ms) > 0) {
		TRY(begin_due(task, authority, &has_more));
		while (has_more && key_sets->under_way > 0)
			has_more = finish(key_sets, look_ms(until_ms));
	}
	return OK;
}

void key_sets_rest(const struct authority *authority)
{
	struct key_sets *key_sets = authority->key_sets;

	while (key_sets->under_way > 0)
		(void)finish(key_sets, SECOND_MS);
}
