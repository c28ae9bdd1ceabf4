/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL, written once for both databases (DESIGN 3): statements are literals with $1 … $k, never
 * assembled; values are typed; what is read is copied into task memory. Prepared once per
 * connection and kept by the statement's place in the linker section that holds them all, so a test
 * can walk every one of them.
 *
 * Text must be valid UTF-8 without NUL (str_is_text): anything else is ERR_REQUEST before the
 * database sees it. Constraint errors are never relied on: ON CONFLICT always.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

#define SQL_ARGS_MAX 32

struct sql {
	const char *text;
};

/* static STATEMENT GRANT_FIND = { "SELECT … WHERE id = $1" }; */
#define STATEMENT const struct sql __attribute__((section("grantd_sql"), used))

/*
 * Ends a SELECT that takes its rows: nobody else takes or writes them until the transaction is
 * over. On SQLite the writer is alone, and its driver leaves this out. It lets rows that refer to
 * these be added, as an UPDATE would.
 */
#define SQL_TAKING " FOR NO KEY UPDATE"

size_t sql_count(void);
/* The statement of a number below sql_count, and back. */
const struct sql *sql_at(size_t number);
size_t sql_number(const struct sql *sql);

enum sql_kind { SQL_KIND_NULL, SQL_KIND_INT, SQL_KIND_TEXT, SQL_KIND_BLOB };

/* The kind of a NULL is that of the column, for PostgreSQL wants to know it. */
struct sql_value {
	enum sql_kind kind;
	bool is_null;
	int64_t number;
	struct str bytes;
};

struct sql_args {
	const struct sql_value *at;
	size_t count;
};

/* STR_NONE is NULL. */
struct sql_value sql_text(struct str text);
struct sql_value sql_blob(struct str bytes);
struct sql_value sql_int(int64_t number);
/* A time that may not have come: 0 is NULL. */
struct sql_value sql_time(int64_t wall_ms);

#define ARGS(...)                                                                                  \
	((struct sql_args){ (const struct sql_value[]){ __VA_ARGS__ },                             \
			    sizeof((const struct sql_value[]){ __VA_ARGS__ }) /                    \
				    sizeof(struct sql_value) })
#define NO_ARGS ((struct sql_args){ NULL, 0 })

/* A row being read, column by column from the left. */
struct sql_row;
/* In task memory, NUL-terminated behind its length; STR_NONE for NULL. */
struct str row_str(struct task *task, struct sql_row *row);
/* 0 for NULL. */
int64_t row_int(struct sql_row *row);

/* Copies what it wants to keep of the row into *ret. */
typedef enum err sql_read_fn(struct task *task, struct sql_row *row, void *ret);

/* Runs it; *ret_changed (may be NULL) is the number of rows changed. ERR_STORE. */
MUST_CHECK enum err sql_exec(struct task *task, struct db *db, const struct sql *sql,
			     struct sql_args args, int64_t *ret_changed);
/* The first row, read by read. ERR_NOT_FOUND without one, ERR_STORE. */
MUST_CHECK enum err sql_one(struct task *task, struct db *db, const struct sql *sql,
			    struct sql_args args, sql_read_fn *read, void *ret);

struct sql_list {
	size_t size; /* of an item */
	sql_read_fn *read;
	void *items; /* in task memory */
	size_t count;
};

/* All rows; the statement bounds their number. ERR_STORE. */
MUST_CHECK enum err sql_all(struct task *task, struct db *db, const struct sql *sql,
			    struct sql_args args, struct sql_list *list);

/* The first column of the first row: for counts and RETURNING of one number. */
MUST_CHECK enum err sql_one_int(struct task *task, struct db *db, const struct sql *sql,
				struct sql_args args, int64_t *ret_number);
