/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many reads of one state. A statement alone takes a read lock in the log's index and lets it go
 * again, which costs several times what finding a row does. A thread that says when it will wait
 * reads within a transaction until then; where somebody has committed meanwhile, it begins anew.
 */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "store/sqlite.h"
#include "store/sqlite_layer.h"
#include "store/sqlite_pages.h"

#define POLL_NS	    50000 /* a round under load is some hundred microseconds */
#define WAIT_MAX_US 5000

/* Of a reader in rounds; others ask for the first two. */
struct sqlite_looks {
	const struct kept_pages *pages; /* of which database */
	_Atomic uint32_t count;		/* of beginnings and ends: odd while it looks */
	uint64_t seen;			/* the state before it began */
	sqlite3_stmt *begin, *end;
	struct sqlite_looks *next;
};

static pthread_mutex_t listing = PTHREAD_MUTEX_INITIALIZER;
static struct sqlite_looks *all;

static void add_to_list(struct sqlite_looks *looks)
{
	pthread_mutex_lock(&listing);
	looks->next = all;
	all = looks;
	pthread_mutex_unlock(&listing);
}

/* NULL if there is no memory. */
static struct sqlite_looks *new_looks(const struct sqlite_db *db)
{
	struct sqlite_looks *looks = calloc(1, sizeof(*looks));

	if (looks == NULL)
		return NULL;
	looks->pages = db->pages;
	if (sqlite3_prepare_v2(db->handle, "BEGIN", -1, &looks->begin, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db->handle, "COMMIT", -1, &looks->end, NULL) != SQLITE_OK) {
		sqlite3_finalize(looks->begin);
		free(looks);
		return NULL;
	}
	add_to_list(looks);
	return looks;
}

void sqlite_looks_free(struct sqlite_db *db)
{
	struct sqlite_looks **at = &all;

	if (db->looks == NULL)
		return;
	pthread_mutex_lock(&listing);
	while (*at != db->looks)
		at = &(*at)->next;
	*at = db->looks->next;
	pthread_mutex_unlock(&listing);
	sqlite3_finalize(db->looks->begin);
	sqlite3_finalize(db->looks->end);
	free(db->looks);
	db->looks = NULL;
}

static bool is_looking(const struct sqlite_looks *looks)
{
	return atomic_load_explicit(&looks->count, memory_order_relaxed) % 2 == 1;
}

static void await(const struct sqlite_looks *looks, int64_t until)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint32_t count = atomic_load(&looks->count);

	while (count % 2 == 1 && atomic_load(&looks->count) == count &&
	       clock_monotonic_us() < until)
		nanosleep(&pause, NULL);
}

void sqlite_await_looks(struct sqlite_db *db)
{
	int64_t until = clock_monotonic_us() + WAIT_MAX_US;

	if (db->pages == NULL)
		db->pages = sqlite_layer_pages(db->handle);
	pthread_mutex_lock(&listing);
	for (const struct sqlite_looks *looks = all; looks != NULL; looks = looks->next) {
		if (looks->pages == db->pages)
			await(looks, until);
	}
	pthread_mutex_unlock(&listing);
}

/* The index is there with the first read, which is alone; without memory all are. */
static bool is_in_rounds(struct sqlite_db *db)
{
	if (db->looks != NULL)
		return true;
	db->pages = sqlite_layer_pages(db->handle);
	if (db->pages != NULL)
		db->looks = new_looks(db);
	return db->looks != NULL;
}

static int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	(void)sqlite3_reset(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* SQLite ends a transaction by itself after some failures. */
static bool in_transaction(const struct sqlite_db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}

static int let_go(struct sqlite_db *db)
{
	int code = in_transaction(db) ? run(db->looks->end) : SQLITE_OK;

	if (code != SQLITE_OK)
		return code;
	/* no statement is under way on this connection, or it would still look */
	assert(sqlite3_txn_state(db->handle, "main") == SQLITE_TXN_NONE);
	atomic_fetch_add(&db->looks->count, 1);
	return SQLITE_OK;
}

/* Asked before the state is taken: what is committed in between is looked at once more. */
static int look(struct sqlite_db *db, uint64_t latest)
{
	int code = run(db->looks->begin);

	if (code != SQLITE_OK)
		return code;
	db->looks->seen = latest;
	atomic_fetch_add(&db->looks->count, 1);
	return SQLITE_OK;
}

enum err sqlite_look(struct task *task, struct sqlite_db *db)
{
	uint64_t latest = 0;
	bool is_known;
	int code = SQLITE_OK;

	if (!is_in_rounds(db))
		return OK;
	is_known = pages_state(db->pages, &latest);
	if (is_looking(db->looks)) {
		if (is_known && latest == db->looks->seen && in_transaction(db))
			return OK;
		code = let_go(db);
	}
	if (code == SQLITE_OK && is_known)
		code = look(db, latest);
	return code == SQLITE_OK ? OK : sqlite_fail(task, db, code);
}

void sqlite_rest(struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	/* nothing was written, so nothing is lost; what fails is tried again by the next look */
	if (db->looks != NULL && is_looking(db->looks))
		(void)let_go(db);
}
