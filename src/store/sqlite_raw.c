/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_raw.h"

#include <stdlib.h>

#include "base/task.h"

static void finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

static enum err refuse(struct task *task, sqlite3 *db)
{
	return failf(task, ERR_IO, "%s", sqlite3_errmsg(db));
}

enum err raw_open(struct task *task, struct str path, sqlite3 **ret_db)
{
	CLEANUP(raw_close) sqlite3 *db = NULL;

	if (sqlite3_open_v2(str_to_c(&task->arena, path), &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
			    NULL) != SQLITE_OK)
		return failf(task, ERR_IO, "%.*s: %s", STR_FMT(path),
			     db == NULL ? "no memory" : sqlite3_errmsg(db));
	sqlite3_extended_result_codes(db, 1);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	TRY(raw_execute(task, db,
			"PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
			"PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0"));
	*ret_db = db;
	db = NULL;
	return OK;
}

void raw_close(sqlite3 **db)
{
	sqlite3_close(*db);
	*db = NULL;
}

enum err raw_execute(struct task *task, sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? OK : refuse(task, db);
}

static enum err prepare(struct task *task, sqlite3 *db, const char *text, struct str argument,
			sqlite3_stmt **ret_statement)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK)
		return refuse(task, db);
	if (argument.at != NULL && sqlite3_bind_text64(statement, 1, argument.at, argument.len,
						       SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK)
		return refuse(task, db);
	*ret_statement = statement;
	statement = NULL;
	return OK;
}

enum err raw_run(struct task *task, sqlite3 *db, const char *text, struct str argument)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;
	int code;

	TRY(prepare(task, db, text, argument, &statement));
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		;
	return code == SQLITE_DONE ? OK : refuse(task, db);
}

enum err raw_text(struct task *task, sqlite3 *db, const char *text, struct str *ret_text)
{
	CLEANUP(finalize) sqlite3_stmt *statement = NULL;
	struct str value = STR_NONE;
	int code;

	TRY(prepare(task, db, text, STR_NONE, &statement));
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return refuse(task, db);
	if (code == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
		value = str_copy(&task->arena, raw_bytes(statement, 0));
	*ret_text = value;
	return OK;
}

struct str raw_bytes(sqlite3_stmt *statement, int column)
{
	bool is_blob = sqlite3_column_type(statement, column) == SQLITE_BLOB;
	const void *at = is_blob ? sqlite3_column_blob(statement, column)
				 : sqlite3_column_text(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);

	/* a blob of no bytes has no address */
	if (at == NULL && !(is_blob && len == 0))
		abort();
	return (struct str){ at == NULL ? "" : at, len };
}
