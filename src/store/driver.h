/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a database must be able to do for sql.c, migrate.c and writer.c: a table of functions per
 * kind of database. A connection is used by one thread at a time and runs one statement at a time.
 */
#pragma once

#include "store/sql.h"
#include "store/store.h"

struct write;

/* A statement being run. */
struct sql_cursor {
	struct db *db;
	void *handle; /* the driver's */
	int row, rows;
	int64_t changed;
};

struct sql_row {
	const struct sql_cursor *cursor;
	int column;
};

/* DB_MIGRATE writes too, and may take its time. */
enum db_use { DB_READ, DB_WRITE, DB_MIGRATE };

struct sql_driver {
	bool may_block;	   /* reading may wait for a server */
	bool is_shared;	   /* other processes may serve the same database */
	size_t batch;	   /* how many closures one transaction takes */
	unsigned writers;  /* 0: as configured */
	const char *begin; /* of a writing transaction */
	const char *
		migrate_lock; /* keeps other processes from migrating meanwhile; NULL: not needed */
	const struct sql *has_schema; /* counts tables named schema_version: 0 or 1 */

	/*
	 * Takes what belongs to one process alone and checks the place. create: make it if missing.
	 */
	enum err (*claim)(struct task *task, struct str place, bool create, void **ret_claim);
	void (*release)(void **claim);
	enum err (*open)(struct task *task, struct str place, enum db_use use, struct db **ret_db);
	void (*close)(struct db **db);

	/* Nothing is left to finish when start fails. */
	enum err (*start)(struct task *task, struct db *db, const struct sql *sql,
			  struct sql_args args, struct sql_cursor *ret_cursor);
	enum err (*step)(struct task *task, struct sql_cursor *cursor, bool *ret_row);
	struct sql_value (*column)(const struct sql_cursor *cursor, int column);
	/* Closes the cursor; cursor->changed is right afterwards. */
	void (*finish)(struct sql_cursor *cursor);
	/* Of a connection in rounds: one is over. NULL: it holds nothing. */
	void (*rest)(struct db *db);
	/* SQL without arguments that is run once: transactions, pragmas, schema steps. */
	enum err (*execute)(struct task *task, struct db *db, const char *text);
	/*
	 * One statement of the schema, with BYTEA, BIGINT and TEXT spelled as this database wants
	 * them.
	 */
	enum err (*define)(struct task *task, struct db *db, struct str text);

	/*
	 * Holds that much disk back for writes that stop something, and says whether only those are
	 * kept now. NULL: the database looks after its own disk.
	 */
	enum err (*hold)(struct task *task, struct db *db, struct str place, int64_t bytes);
	bool (*is_full)(const struct db *db);
	enum err (*check_reserve)(struct task *task, struct str place, int64_t bytes);

	/*
	 * ERR_CONFIG when the database is damaged, and how; one that is larger is not looked
	 * through. NULL: the database looks after itself.
	 */
	enum err (*inspect)(struct task *task, struct db *db, struct str place, int64_t bytes_max);

	/* Runs the closures, commits, and leaves in each write how it ended. */
	void (*run_batch)(struct task *task, struct db *db, struct write *const *batch,
			  size_t count);
};

/* Every connection begins with this. */
struct db {
	const struct sql_driver *driver;
	struct ended_notes *ended; /* of a writing connection where DIR keeps what has ended */
	bool in_rounds;		   /* its thread says when it will wait: store_rest */
	_Atomic int64_t *heard;	   /* the store's: a server's last answer to anybody; or NULL */
};

extern const struct sql_driver sqlite_driver;
extern const struct sql_driver postgres_driver;

/* The words before the colon choose the driver; *ret_place is what it opens. ERR_CONFIG. */
MUST_CHECK enum err driver_choose(struct task *task, struct str database,
				  const struct sql_driver **ret_driver, struct str *ret_place);
