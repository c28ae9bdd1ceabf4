/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of waiting writes and the threads that run them: one thread with group commit on
 * SQLite, a pool with a transaction per closure on PostgreSQL. Bounded: a full queue refuses at
 * once.
 */
#pragma once

#include "store/driver.h"

struct writer;
struct waiter;

/* A closure on its way; lives in its task's memory (submitted) or on the waiting caller's stack. */
struct write {
	struct task *task;
	write_fn *fn;
	void *arg;
	bool is_stop;	 /* kept from the reserve when the disk is full */
	bool is_relaxed; /* need not be synced */
	enum err result;
	struct waiter *waiter; /* NULL: the task is parked and goes home */
	struct write *next;
};

/*
 * place and heard (struct db) stay owned by the caller, beyond the writer. Its threads begin with
 * the first write or with writer_settle, each with its own connection; what is queued meanwhile
 * waits, and fails where there will be none. writer_settle waits for all of them and answers what
 * was wrong with the first that failed.
 */
MUST_CHECK enum err writer_open(struct task *task, const struct sql_driver *driver,
				const struct store_config *config, struct str place,
				_Atomic int64_t *heard, struct writer **ret_writer);
MUST_CHECK enum err writer_settle(struct task *task, struct writer *writer);
/* Runs what is queued, then ends the threads. */
void writer_free(struct writer **writer);

/* wish: what is to be written; it is copied. */
MUST_CHECK enum err writer_submit(struct writer *writer, const struct write *wish, then_fn *then);
MUST_CHECK enum err writer_wait(struct writer *writer, const struct write *wish);
/* All are connected: what is handed in is written. */
bool writer_is_settled(struct writer *writer);
/* True while the disk of the database is full. */
bool writer_is_full(struct writer *writer);

/* From any thread. */
void writer_look(struct writer *writer, struct store_figures *ret_figures);

/* For the drivers' run_batch: one closure, from a clean slate, for it may have run before. */
MUST_CHECK enum err write_run(struct write *write, struct db *db);
/* The commit failed, or nobody knows whether it did: each of them is told ERR_STORE. */
void write_fail_all(struct write *const *batch, size_t count);
/* The disk is full: each of them is told ERR_FULL. */
void write_refuse_all(struct write *const *batch, size_t count);
