/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/task.h"
#include "store/driver.h"
#include "store/migrate.h"
#include "store/writer.h"

#define PING_EVERY_MS SECOND_MS

static STATEMENT PING = { "SELECT count(*) FROM schema_version" };

/*
 * What /readyz last heard. The one who asks does it without the lock; others hear the last answer.
 */
struct ping {
	pthread_mutex_t lock;
	struct db *db; /* NULL until somebody asks */
	bool is_asking;
	int64_t asked_at; /* monotonic */
	enum err answer;
};

struct store {
	const struct sql_driver *driver;
	char *place;
	void *claim;
	struct writer *writer;
	struct ping ping;
	_Atomic int64_t heard; /* monotonic; see struct db */
	unsigned threads;
	unsigned in_rounds;   /* of the threads, the first */
	struct db *readers[]; /* each opened and used by its thread alone */
};

static struct str store_place(const struct store *store)
{
	return str_from_c(store->place);
}

static struct store *store_new(const struct sql_driver *driver, const struct store_config *config,
			       struct str place)
{
	struct store *store = calloc(1, sizeof(*store) + config->threads * sizeof(struct db *));

	if (store == NULL)
		abort();
	store->driver = driver;
	store->threads = config->threads;
	store->in_rounds = config->in_rounds;
	store->place = strndup(place.at, place.len);
	if (store->place == NULL)
		abort();
	pthread_mutex_init(&store->ping.lock, NULL);
	return store;
}

static enum err open_reader(struct task *task, struct store *store, struct db **ret_reader)
{
	TRY(store->driver->open(task, store_place(store), DB_READ, ret_reader));
	(*ret_reader)->in_rounds = task->thread < store->in_rounds;
	(*ret_reader)->heard = &store->heard;
	return OK;
}

enum err store_reader(struct task *task, struct store *store, struct db **ret_db)
{
	struct db **reader;

	assert(task->thread < store->threads);
	reader = &store->readers[task->thread];
	if (*reader == NULL)
		TRY(open_reader(task, store, reader));
	*ret_db = *reader;
	return OK;
}

void store_rest(struct store *store, unsigned thread)
{
	struct db *reader = store->readers[thread];

	if (reader != NULL && store->driver->rest != NULL)
		store->driver->rest(reader);
}

static enum err open_parts(struct task *task, struct store *store,
			   const struct store_config *config)
{
	struct str place = store_place(store);
	struct db *db = NULL;

	TRY(store->driver->claim(task, place, false, &store->claim));
	TRY(store_reader(task, store, &db));
	if (store->driver->inspect != NULL)
		TRY(store->driver->inspect(task, db, place, config->inspect));
	TRY(migrate_check(task, db));
	store_rest(store, task->thread);
	TRY(writer_open(task, store->driver, config, place, &store->heard, &store->writer));
	return config->settles_later ? OK : store_settle(task, store);
}

enum err store_settle(struct task *task, struct store *store)
{
	return writer_settle(task, store->writer);
}

enum err store_open(struct task *task, const struct store_config *config, struct store **ret_store)
{
	CLEANUP(store_free) struct store *store = NULL;
	const struct sql_driver *driver = NULL;
	struct str place = STR_NONE;

	TRY(driver_choose(task, config->database, &driver, &place));
	store = store_new(driver, config, place);
	TRY(open_parts(task, store, config));
	*ret_store = store;
	store = NULL;
	return OK;
}

void store_free(struct store **closing)
{
	struct store *store = *closing;

	*closing = NULL;
	if (store == NULL)
		return;
	/*
	 * readers first, so that the writer's connection is the last and empties the log on its way
	 * out
	 */
	for (unsigned i = 0; i < store->threads; i++)
		store->driver->close(&store->readers[i]);
	store->driver->close(&store->ping.db);
	writer_free(&store->writer);
	if (store->claim != NULL)
		store->driver->release(&store->claim);
	pthread_mutex_destroy(&store->ping.lock);
	explicit_bzero(store->place, strlen(store->place)); /* a URI may claim a password */
	free(store->place);
	free(store);
}

static enum err migrate_claimed(struct task *task, const struct sql_driver *driver,
				struct str place, int *ret_from, int *ret_to)
{
	struct db *db = NULL;
	enum err err;

	TRY(driver->open(task, place, DB_MIGRATE, &db));
	err = migrate_run(task, db, ret_from, ret_to);
	driver->close(&db);
	return err;
}

enum err store_migrate(struct task *task, const struct store_config *config, int *ret_from,
		       int *ret_to)
{
	const struct sql_driver *driver = NULL;
	struct str place = STR_NONE;
	void *claim = NULL;
	enum err err;

	TRY(driver_choose(task, config->database, &driver, &place));
	TRY(driver->claim(task, place, true, &claim));
	err = migrate_claimed(task, driver, place, ret_from, ret_to);
	if (claim != NULL)
		driver->release(&claim);
	return err;
}

bool store_may_block(const struct store *store)
{
	return store->driver->may_block;
}

bool store_is_file(const struct store *store, struct str *ret_path)
{
	*ret_path = store_place(store);
	return !store->driver->may_block;
}

struct store_claim {
	const struct sql_driver *driver;
	void *held;
};

enum err store_claim(struct task *task, struct str database, struct store_claim **ret_claim)
{
	struct store_claim *claim = calloc(1, sizeof(*claim));
	struct str place = STR_NONE;
	enum err err;

	if (claim == NULL)
		abort();
	err = driver_choose(task, database, &claim->driver, &place);
	if (err == OK)
		err = claim->driver->claim(task, place, true, &claim->held);
	if (err == OK)
		*ret_claim = claim;
	else
		free(claim);
	return err;
}

void store_release(struct store_claim **claim)
{
	if (*claim == NULL)
		return;
	if ((*claim)->held != NULL)
		(*claim)->driver->release(&(*claim)->held);
	free(*claim);
	*claim = NULL;
}

bool store_is_shared(const struct store *store)
{
	return store->driver->is_shared;
}

enum err store_submit(struct task *task, struct store *store, write_fn *fn, void *arg,
		      then_fn *then)
{
	struct write wish = { .task = task, .fn = fn, .arg = arg };

	return writer_submit(store->writer, &wish, then);
}

enum err store_write(struct task *task, struct store *store, write_fn *fn, void *arg)
{
	struct write wish = { .task = task, .fn = fn, .arg = arg };

	return writer_wait(store->writer, &wish);
}

enum err store_submit_relaxed(struct task *task, struct store *store, write_fn *fn, void *arg,
			      then_fn *then)
{
	struct write wish = { .task = task, .fn = fn, .arg = arg, .is_relaxed = true };

	return writer_submit(store->writer, &wish, then);
}

enum err store_submit_stop(struct task *task, struct store *store, write_fn *fn, void *arg,
			   then_fn *then)
{
	struct write wish = { .task = task, .fn = fn, .arg = arg, .is_stop = true };

	return writer_submit(store->writer, &wish, then);
}

enum err store_stop(struct task *task, struct store *store, write_fn *fn, void *arg)
{
	struct write wish = { .task = task, .fn = fn, .arg = arg, .is_stop = true };

	return writer_wait(store->writer, &wish);
}

enum err store_check_reserve(struct task *task, struct str database)
{
	const struct sql_driver *driver = NULL;
	struct str place = STR_NONE;

	TRY(driver_choose(task, database, &driver, &place));
	if (driver->check_reserve == NULL)
		return OK;
	return driver->check_reserve(task, place, STORE_RESERVE);
}

void store_look(struct store *store, struct store_figures *ret_figures)
{
	writer_look(store->writer, ret_figures);
}

/* True if it is our turn to ask; otherwise *ret_answer is the last answer. */
static bool ping_begin(struct ping *ping, int64_t now, enum err *ret_answer)
{
	bool is_ours;

	pthread_mutex_lock(&ping->lock);
	is_ours = !ping->is_asking && now - ping->asked_at >= PING_EVERY_MS;
	if (is_ours)
		ping->is_asking = true;
	*ret_answer = ping->answer;
	pthread_mutex_unlock(&ping->lock);
	return is_ours;
}

static void ping_end(struct ping *ping, enum err answer)
{
	pthread_mutex_lock(&ping->lock);
	ping->is_asking = false;
	ping->asked_at = clock_monotonic();
	ping->answer = answer;
	pthread_mutex_unlock(&ping->lock);
}

/* Only by the one whose turn it is. */
static enum err ask_for_ping(struct task *task, struct store *store)
{
	int64_t count = 0;

	if (store->ping.db == NULL)
		TRY(store->driver->open(task, store_place(store), DB_READ, &store->ping.db));
	return sql_one_int(task, store->ping.db, &PING, NO_ARGS, &count);
}

enum err store_ping(struct task *task, struct store *store)
{
	enum err answer = OK;

	if (!writer_is_settled(store->writer))
		return fail(task, ERR_STORE, "the database cannot be written");
	if (writer_is_full(store->writer))
		return fail(task, ERR_FULL,
			    "the disk of the database is full: only what stops something is kept");
	if (!ping_begin(&store->ping, clock_monotonic(), &answer)) {
		if (answer != OK)
			return fail(task, answer, "the database did not answer a moment ago");
		return OK;
	}
	answer = ask_for_ping(task, store);
	ping_end(&store->ping, answer);
	return answer;
}
