/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the PostgreSQL driver share: a connection that comes back by itself. While the
 * server is gone every question is answered ERR_STORE at once, or within two seconds when it does
 * not answer at all; and at once again where somebody has just waited in vain, unless the server
 * has answered others.
 */
#pragma once

#include "store/driver.h"
#include "store/postgres_api.h"

struct postgres_db {
	struct db db;
	const struct postgres_api *api;
	PGconn *connection; /* NULL: gone, or not yet there */
	char *uri;
	enum db_use use;
	bool *prepared; /* by number of the statement, on this connection */
	size_t prepared_count;
	int64_t retry_at; /* monotonic: no attempt to connect before */
	int64_t back_off;
	bool is_late;	     /* the last connection was given up, for no answer came in time */
	bool in_transaction; /* a lost connection must not be replaced in the middle of one */
	bool is_conflict; /* the last failure was 40001 or 40P01: the transaction may run again */
};

/* Connects if need be. ERR_STORE. */
enum err postgres_connect(struct task *task, struct postgres_db *db);
/*
 * True if the connection that there was has been closed by the server or on the way there, false if
 * it was we who gave it up.
 */
bool postgres_was_closed(const struct postgres_db *db);
/* Gives the connection up. */
void postgres_drop(struct postgres_db *db);
/*
 * The result of what was sent; *ret_result is freed by the caller. ERR_STORE, and the connection
 * dropped when lost.
 */
enum err postgres_await(struct task *task, struct postgres_db *db, PGresult **ret_result);
/* SQL without arguments; *ret_tag (may be NULL) is what the server says it did: "COMMIT". */
enum err postgres_run(struct task *task, struct postgres_db *db, const char *text,
		      struct str *ret_tag);

/* Each closure in a transaction of its own, and again after a conflict. */
void postgres_run_batch(struct task *task, struct db *db, struct write *const *batch, size_t count);
