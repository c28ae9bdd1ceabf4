/* SPDX-License-Identifier: Apache-2.0 */
/* A SQLite file that is not the store's: copies being made or looked at. Private to store. */
#pragma once

#include <sqlite3.h>

#include "base/err.h"
#include "base/str.h"

struct task;

/* An existing file. ERR_IO. */
MUST_CHECK enum err raw_open(struct task *task, struct str path, sqlite3 **ret_db);
void raw_close(sqlite3 **db);
/* SQL without arguments. ERR_IO with SQLite's words, here and below. */
MUST_CHECK enum err raw_execute(struct task *task, sqlite3 *db, const char *text);
/* One statement with the text as $1, or without one for STR_NONE. */
MUST_CHECK enum err raw_run(struct task *task, sqlite3 *db, const char *text, struct str argument);
/* The first column of the first row as text; STR_NONE without one, or for NULL. */
MUST_CHECK enum err raw_text(struct task *task, sqlite3 *db, const char *text,
			     struct str *ret_text);
/*
 * A text or a blob; never without an address. SQLite says that it has no memory by leaving that
 * out, and the process ends: what is read must not become empty.
 */
struct str raw_bytes(sqlite3_stmt *statement, int column);
