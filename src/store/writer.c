/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/task.h"
#include "store/ended.h"

#define QUEUE_DEFAULT 16384
#define POOL_DEFAULT  16
#define BATCH_MAX     256

struct worker {
	struct writer *writer;
	pthread_t thread;
	bool has_thread;
	struct db *db; /* NULL: it could not be connected, and its writes fail */
	struct histogram commits;
	_Atomic uint64_t failed;
	struct ended_notes *notes;
};

struct writer {
	const struct sql_driver *driver;
	struct clock *clock;
	struct log *log;
	struct ended *ended; /* NULL: not kept */
	struct str place;    /* the store's */
	_Atomic int64_t *heard;
	int64_t reserve;

	pthread_mutex_t lock; /* guards what is up to the empty line */
	bool has_begun;
	pthread_cond_t settled;
	size_t connecting;  /* workers that are not connected yet */
	enum err failure;   /* of the first that could not be connected */
	struct arena words; /* why */
	struct str reason;
	pthread_cond_t filled;
	struct write *head;
	struct write **tail;
	size_t count;
	size_t max;
	uint64_t refused;
	bool is_closing;

	size_t worker_count;
	struct worker workers[];
};

/* Who waits for a write on its own thread. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t came;
	bool is_done;
};

enum err write_run(struct write *write, struct db *db)
{
	enum err err;

	task_forgive(write->task);
	err = write->fn(write->task, db, write->arg);
	assert(err != ERR_PARKED);
	return err;
}

void write_fail_all(struct write *const *batch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		batch[i]->result = fail(batch[i]->task, ERR_STORE,
					"the database could not keep this");
}

void write_refuse_all(struct write *const *batch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		batch[i]->result =
			fail(batch[i]->task, ERR_FULL,
			     "the disk of the database is full: only what stops something is kept");
}

/* Afterwards the write is gone: its memory belongs to whom it was handed. */
static void hand_back(struct write *write)
{
	struct waiter *waiter = write->waiter;

	if (waiter == NULL) {
		task_resume(write->task, write->result);
		return;
	}
	pthread_mutex_lock(&waiter->lock);
	waiter->is_done = true;
	pthread_cond_signal(&waiter->came);
	pthread_mutex_unlock(&waiter->lock);
}

/* Waits for work; 0 when the writer closes and nothing is left. */
static size_t take_batch(struct writer *writer, struct write **batch)
{
	size_t count = 0;

	pthread_mutex_lock(&writer->lock);
	while (writer->head == NULL && !writer->is_closing)
		pthread_cond_wait(&writer->filled, &writer->lock);
	while (writer->head != NULL && count < writer->driver->batch) {
		batch[count] = writer->head;
		writer->head = batch[count++]->next;
	}
	if (writer->head == NULL)
		writer->tail = &writer->head;
	writer->count -= count;
	pthread_mutex_unlock(&writer->lock);
	return count;
}

/* Not kept for the database's sake, not for its own. */
static bool is_lost(enum err err)
{
	return err == ERR_STORE || err == ERR_IO || err == ERR_FULL;
}

static void run_batch(struct worker *worker, struct write *const *batch, size_t count)
{
	struct writer *writer = worker->writer;
	int64_t began = clock_monotonic_us();
	struct task task;

	task_begin(&task, writer->clock, writer->log);
	if (worker->db != NULL)
		writer->driver->run_batch(&task, worker->db, batch, count);
	else
		write_fail_all(batch, count);
	task_end(&task);
	histogram_add(&worker->commits, clock_monotonic_us() - began);
	for (size_t i = 0; i < count; i++)
		if (is_lost(batch[i]->result))
			figure_add(&worker->failed, 1);
}

static enum err open_connection(struct task *task, struct worker *worker)
{
	struct writer *writer = worker->writer;
	const struct sql_driver *driver = writer->driver;

	TRY(driver->open(task, writer->place, DB_WRITE, &worker->db));
	worker->db->heard = writer->heard;
	if (writer->ended != NULL) {
		worker->notes = ended_notes_new(writer->ended);
		worker->db->ended = worker->notes;
	}
	if (worker != writer->workers || driver->hold == NULL || writer->reserve == 0)
		return OK;
	return driver->hold(task, worker->db, writer->place, writer->reserve);
}

static void note_locked(struct writer *writer, enum err err, struct str reason)
{
	if (err != OK && writer->failure == OK) {
		writer->failure = err;
		writer->reason = str_copy(&writer->words, reason);
	}
	if (--writer->connecting == 0)
		pthread_cond_broadcast(&writer->settled);
}

/* By each worker for itself, so that a start goes on meanwhile. */
static void connect_worker(struct worker *worker)
{
	struct writer *writer = worker->writer;
	struct task task;
	enum err err;

	task_begin(&task, writer->clock, writer->log);
	err = open_connection(&task, worker);
	if (err != OK)
		writer->driver->close(&worker->db);
	pthread_mutex_lock(&writer->lock);
	note_locked(writer, err, task.reason);
	pthread_mutex_unlock(&writer->lock);
	task_end(&task);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct writer *writer = worker->writer;
	struct write *batch[BATCH_MAX];
	size_t count;

	connect_worker(worker);
	while ((count = take_batch(writer, batch)) > 0) {
		run_batch(worker, batch, count);
		for (size_t i = 0; i < count; i++)
			hand_back(batch[i]);
	}
	return NULL;
}

/* With the first write, or when somebody settles. Signals are the main thread's affair. */
static void start_threads_locked(struct writer *writer)
{
	sigset_t all, before;

	if (writer->has_begun)
		return;
	writer->has_begun = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (size_t i = 0; i < writer->worker_count; i++) {
		struct worker *worker = &writer->workers[i];

		worker->writer = writer;
		worker->has_thread = pthread_create(&worker->thread, NULL, work, worker) == 0;
		if (!worker->has_thread)
			note_locked(writer, ERR_INTERNAL, STR("there is no thread to write"));
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool has_threads(const struct writer *writer)
{
	for (size_t i = 0; i < writer->worker_count; i++)
		if (writer->workers[i].has_thread)
			return true;
	return false;
}

static struct writer *writer_new(const struct sql_driver *driver, const struct store_config *config,
				 struct str place)
{
	size_t pool = config->pool == 0 ? POOL_DEFAULT : config->pool;
	size_t workers = driver->writers == 0 ? pool : driver->writers;
	struct writer *writer = calloc(1, sizeof(*writer) + workers * sizeof(struct worker));

	if (writer == NULL)
		abort();
	assert(driver->batch <= BATCH_MAX);
	writer->driver = driver;
	writer->clock = config->clock;
	writer->log = config->log;
	writer->place = place;
	writer->reserve = config->reserve;
	writer->connecting = writer->worker_count = workers;
	writer->max = config->queue == 0 ? QUEUE_DEFAULT : config->queue;
	writer->tail = &writer->head;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->filled, NULL);
	pthread_cond_init(&writer->settled, NULL);
	return writer;
}

static void end_threads(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->is_closing = true;
	pthread_cond_broadcast(&writer->filled);
	pthread_mutex_unlock(&writer->lock);
	for (size_t i = 0; i < writer->worker_count; i++)
		if (writer->workers[i].has_thread)
			pthread_join(writer->workers[i].thread, NULL);
}

void writer_free(struct writer **closing)
{
	struct writer *writer = *closing;

	*closing = NULL;
	if (writer == NULL)
		return;
	end_threads(writer);
	for (size_t i = 0; i < writer->worker_count; i++) {
		writer->driver->close(&writer->workers[i].db);
		ended_notes_free(&writer->workers[i].notes);
	}
	ended_free(&writer->ended);
	pthread_cond_destroy(&writer->settled);
	pthread_cond_destroy(&writer->filled);
	pthread_mutex_destroy(&writer->lock);
	arena_free(&writer->words);
	free(writer);
}

enum err writer_open(struct task *task, const struct sql_driver *driver,
		     const struct store_config *config, struct str place, _Atomic int64_t *heard,
		     struct writer **ret_writer)
{
	CLEANUP(writer_free) struct writer *writer = writer_new(driver, config, place);

	writer->heard = heard;
	if (config->ended.at != NULL)
		TRY(ended_open(task, config->ended, &writer->ended));
	*ret_writer = writer;
	writer = NULL;
	return OK;
}

enum err writer_settle(struct task *task, struct writer *writer)
{
	enum err failure;

	pthread_mutex_lock(&writer->lock);
	start_threads_locked(writer);
	while (writer->connecting > 0)
		pthread_cond_wait(&writer->settled, &writer->lock);
	failure = writer->failure;
	pthread_mutex_unlock(&writer->lock);
	/* nothing is added to the reason any more */
	return failure == OK ? OK : failf(task, failure, "%.*s", STR_FMT(writer->reason));
}

static void push_locked(struct writer *writer, struct write *write)
{
	*writer->tail = write;
	writer->tail = &write->next;
	writer->count++;
	pthread_cond_signal(&writer->filled);
}

/* Whether one more may wait; with the first begin the threads that it waits for. */
static bool admit_locked(struct writer *writer)
{
	bool is_admitted;

	start_threads_locked(writer);
	is_admitted = writer->count < writer->max && !writer->is_closing && has_threads(writer);
	if (!is_admitted)
		writer->refused++;
	return is_admitted;
}

void writer_look(struct writer *writer, struct store_figures *ret_figures)
{
	struct store_figures figures = { .room = writer->max };

	pthread_mutex_lock(&writer->lock);
	figures.waiting = writer->count;
	figures.refused = writer->refused;
	pthread_mutex_unlock(&writer->lock);
	for (size_t i = 0; i < writer->worker_count; i++) {
		histogram_collect(&writer->workers[i].commits, &figures.commits);
		figures.failed += figure_get(&writer->workers[i].failed);
	}
	*ret_figures = figures;
}

enum err writer_submit(struct writer *writer, const struct write *wish, then_fn *then)
{
	struct task *task = wish->task;
	struct write *write = NEW(&task->arena, struct write);
	enum err err = ERR_BUSY;

	*write = *wish;
	/* parked before it is pushed: from then on the task is another thread's */
	pthread_mutex_lock(&writer->lock);
	if (admit_locked(writer)) {
		err = task_park(task, then, write->arg);
		push_locked(writer, write);
	}
	pthread_mutex_unlock(&writer->lock);
	if (err == ERR_BUSY)
		return fail(task, ERR_BUSY, "too many writes are waiting");
	return err;
}

enum err writer_wait(struct writer *writer, const struct write *wish)
{
	struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER,
				 .came = PTHREAD_COND_INITIALIZER };
	struct write write = *wish;
	bool is_queued;

	write.waiter = &waiter;
	pthread_mutex_lock(&writer->lock);
	is_queued = admit_locked(writer);
	if (is_queued)
		push_locked(writer, &write);
	pthread_mutex_unlock(&writer->lock);
	if (!is_queued)
		return fail(write.task, ERR_BUSY, "too many writes are waiting");
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.is_done)
		pthread_cond_wait(&waiter.came, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	return write.result;
}

bool writer_is_settled(struct writer *writer)
{
	bool is_settled;

	pthread_mutex_lock(&writer->lock);
	is_settled = writer->connecting == 0 && writer->failure == OK;
	pthread_mutex_unlock(&writer->lock);
	return is_settled;
}

bool writer_is_full(struct writer *writer)
{
	return writer->driver->is_full != NULL && writer_is_settled(writer) &&
	       writer->driver->is_full(writer->workers[0].db);
}
