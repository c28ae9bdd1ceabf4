/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/task.h"
#include "store/define.h"
#include "store/sqlite_layer.h"
#include "store/sqlite_raw.h"

/* For an operator's sqlite3 shell, the only one who could hold a lock. */
static const int waits_ms[] = {
	[DB_READ] = 100,
	[DB_WRITE] = SQLITE_WRITER_WAITS_MS,
	[DB_MIGRATE] = 5000,
};

static const char read_pragmas[] = "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;"
				   "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"
				   "PRAGMA temp_store=MEMORY; " SQLITE_READ_CACHE;
/*
 * A small cache: SQLite looks through all of it at each commit in which a tree was balanced, to cut
 * off what lies behind the end of the file (pcache1Truncate; balancing uses a page number from far
 * behind it). What a batch writes stays in memory whatever its size, and leaves it in one go.
 */
static const char write_pragmas[] = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
				    "PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON;"
				    "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"
				    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4000;"
				    "PRAGMA cache_spill=OFF";

static STATEMENT HAS_SCHEMA = {
	"SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'"
};

/* Cannot be undone or retried: what the kernel failed to write it may have dropped. */
static bool is_fsync_failure(int code)
{
	return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

/* Also a quota, and the shared memory file that SQLite keeps on the same disk. */
static bool is_full_disk(const struct sqlite_db *db, int code)
{
	int error = sqlite3_system_errno(db->handle);

	if ((code & 0xFF) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE)
		return true;
	return (code & 0xFF) == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT);
}

/* Said on stderr too, for a command of the operator's keeps no log. */
static _Noreturn void end_at_once(struct task *task, int code)
{
	static const char why[] = "ending at once: the disk did not sync what was written, and "
				  "what is on it is known only after a restart";

	log_error(task, "store.fsync_failed", LOG_INT("code", code),
		  LOG_STR("why", str_from_c(why)));
	fprintf(stderr, "grantd: %s\n", why);
	_exit(EX_IOERR);
}

enum err sqlite_fail(struct task *task, struct sqlite_db *db, int code)
{
	int extended = sqlite3_extended_errcode(db->handle);

	if (is_fsync_failure(code) || is_fsync_failure(extended))
		end_at_once(task, extended);
	/* SQLite's own messages name tables and constraints, never values */
	log_error(task, "store.failed", LOG_INT("code", extended),
		  LOG_STR("message", str_from_c(sqlite3_errmsg(db->handle))));
	if (!is_full_disk(db, extended))
		return fail(task, ERR_STORE, "the database could not do this");
	db->met_full = true;
	return fail(task, ERR_FULL, "the disk of the database is full");
}

static int remember_wal_pages(void *context, sqlite3 *handle, const char *name, int pages)
{
	(void)handle;
	(void)name;
	((struct sqlite_db *)context)->wal_pages = pages;
	return SQLITE_OK;
}

static void sqlite_close(struct db **closing)
{
	struct sqlite_db *db = (struct sqlite_db *)*closing;

	*closing = NULL;
	if (db == NULL)
		return;
	sqlite_looks_free(db);
	for (size_t i = 0; i < db->prepared_count; i++)
		sqlite3_finalize(db->prepared[i].handle);
	sqlite3_close(db->handle);
	sqlite_reserve_close(&db->reserve);
	free(db->prepared);
	free(db);
}

enum err sqlite_execute(struct task *task, struct db *base, const char *text)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	int code = sqlite3_exec(db->handle, text, NULL, NULL, NULL);

	return code == SQLITE_OK ? OK : sqlite_fail(task, db, code);
}

static int note_answer(void *context, int count, char **values, char **names)
{
	(void)names;
	if (count > 0 && values[0] != NULL && strcmp(values[0], "wal") == 0)
		*(bool *)context = true;
	return 0;
}

static enum err start_writing(struct task *task, struct sqlite_db *db)
{
	bool is_wal = false;
	int code = sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", note_answer, &is_wal, NULL);

	if (code != SQLITE_OK)
		return sqlite_fail(task, db, code);
	if (!is_wal)
		return fail(task, ERR_CONFIG,
			    "the file system of the database does not allow a write-ahead log; "
			    "use a local disk");
	TRY(sqlite_execute(task, &db->db, write_pragmas));
	/* setting a hook of our own also ends automatic checkpoints */
	sqlite3_wal_hook(db->handle, remember_wal_pages, db);
	return OK;
}

static enum err prepare_connection(struct task *task, struct sqlite_db *db, enum db_use use)
{
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_timeout(db->handle, waits_ms[use]);
	if (use == DB_READ)
		return sqlite_execute(task, &db->db, read_pragmas);
	return start_writing(task, db);
}

/*
 * Counting the bytes in use takes a lock that all connections share, twice for each small piece of
 * memory, and nobody asks for the count.
 */
static void configure(void)
{
	/* refused when SQLite is in use already: then it is only slower */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum err sqlite_open(struct task *task, struct str path, enum db_use use, struct db **ret_db)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(sqlite_close) struct db *opened = NULL;
	struct sqlite_db *db = calloc(1, sizeof(*db));
	enum err err;

	if (db == NULL || pthread_once(&once, configure) != 0)
		abort();
	opened = &db->db;
	db->db.driver = &sqlite_driver;
	db->reserve = SQLITE_RESERVE_NONE;
	db->prepared_count = sql_count();
	db->prepared = calloc(db->prepared_count + 1, sizeof(*db->prepared));
	if (db->prepared == NULL)
		abort();
	if (sqlite3_open_v2(str_to_c(&task->arena, path), &db->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
			    sqlite_layer()) != SQLITE_OK) {
		return failf(task, ERR_CONFIG, "cannot open the database %.*s: %s", STR_FMT(path),
			     db->handle == NULL ? "no memory" : sqlite3_errmsg(db->handle));
	}
	err = prepare_connection(task, db, use);
	if (err != OK)
		return sqlite_say_damage(task, db, path, err);
	*ret_db = opened;
	opened = NULL;
	return OK;
}

/* SQLite numbers $n by first appearance, so each place is asked for its name. */
static enum err number_places(struct task *task, struct sqlite_statement *statement)
{
	statement->places = sqlite3_bind_parameter_count(statement->handle);
	assert(statement->places <= SQL_ARGS_MAX);
	for (int at = 1; at <= statement->places; at++) {
		const char *name = sqlite3_bind_parameter_name(statement->handle, at);
		uint64_t number = 0;

		if (name == NULL ||
		    !str_to_u64(str_from(str_from_c(name), 1), (uint64_t)statement->places,
				&number) ||
		    number == 0)
			return fail(task, ERR_INTERNAL, "a statement with a misnamed parameter");
		statement->argument[at - 1] = (uint8_t)(number - 1);
	}
	return OK;
}

static struct str without_taking(const struct sql *sql)
{
	struct str text = str_from_c(sql->text);

	if (str_ends_with(text, STR(SQL_TAKING)))
		text.len -= STR(SQL_TAKING).len;
	return text;
}

static enum err prepare(struct task *task, struct sqlite_db *db, const struct sql *sql,
			struct sqlite_statement *statement)
{
	struct str text = without_taking(sql);
	int code = sqlite3_prepare_v3(db->handle, text.at, (int)text.len, SQLITE_PREPARE_PERSISTENT,
				      &statement->handle, NULL);

	if (code != SQLITE_OK)
		return sqlite_fail(task, db, code);
	return number_places(task, statement);
}

static enum err find_prepared(struct task *task, struct sqlite_db *db, const struct sql *sql,
			      const struct sqlite_statement **ret_statement)
{
	size_t number = sql_number(sql);

	assert(number < db->prepared_count);
	if (db->prepared[number].handle == NULL)
		TRY(prepare(task, db, sql, &db->prepared[number]));
	*ret_statement = &db->prepared[number];
	return OK;
}

static int bind_value(sqlite3_stmt *statement, int at, const struct sql_value *value)
{
	if (value->is_null)
		return sqlite3_bind_null(statement, at);
	switch (value->kind) {
	case SQL_KIND_INT:
		return sqlite3_bind_int64(statement, at, value->number);
	case SQL_KIND_TEXT:
		return sqlite3_bind_text64(statement, at, value->bytes.at, value->bytes.len,
					   SQLITE_STATIC, SQLITE_UTF8);
	case SQL_KIND_BLOB:
		return sqlite3_bind_blob64(statement, at, value->bytes.at, value->bytes.len,
					   SQLITE_STATIC);
	case SQL_KIND_NULL:
		break;
	}
	return sqlite3_bind_null(statement, at);
}

static enum err bind_all(struct task *task, struct sqlite_db *db,
			 const struct sqlite_statement *statement, struct sql_args args)
{
	assert((size_t)statement->places == args.count);
	for (int at = 1; at <= statement->places; at++) {
		int code = bind_value(statement->handle, at, &args.at[statement->argument[at - 1]]);

		if (code != SQLITE_OK)
			return sqlite_fail(task, db, code);
	}
	return OK;
}

static enum err sqlite_start(struct task *task, struct db *base, const struct sql *sql,
			     struct sql_args args, struct sql_cursor *ret_cursor)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	const struct sqlite_statement *statement = NULL;

	if (base->in_rounds)
		TRY(sqlite_look(task, db));
	TRY(find_prepared(task, db, sql, &statement));
	TRY(bind_all(task, db, statement, args));
	*ret_cursor = (struct sql_cursor){ .db = base, .handle = statement->handle };
	return OK;
}

static enum err sqlite_step(struct task *task, struct sql_cursor *cursor, bool *ret_row)
{
	struct sqlite_db *db = (struct sqlite_db *)cursor->db;
	int code = sqlite3_step(cursor->handle);

	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return sqlite_fail(task, db, code);
	if (code == SQLITE_DONE)
		cursor->changed = sqlite3_changes64(db->handle);
	*ret_row = code == SQLITE_ROW;
	return OK;
}

static struct sql_value sqlite_column(const struct sql_cursor *cursor, int column)
{
	sqlite3_stmt *statement = cursor->handle;
	struct sql_value value = { 0 };

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_INTEGER:
		return sql_int(sqlite3_column_int64(statement, column));
	case SQLITE_TEXT:
		value.kind = SQL_KIND_TEXT;
		break;
	case SQLITE_BLOB:
		value.kind = SQL_KIND_BLOB;
		break;
	default:
		value.is_null = true;
		return value;
	}
	value.bytes = raw_bytes(statement, column);
	return value;
}

static void sqlite_finish(struct sql_cursor *cursor)
{
	sqlite3_reset(cursor->handle);
	/* the arguments lie in task memory, which ends before the statement does */
	sqlite3_clear_bindings(cursor->handle);
}

static const struct type_name type_names[] = {
	{ STR_INIT("BYTEA"), STR_INIT("BLOB") },
	{ STR_INIT("BIGINT"), STR_INIT("INTEGER") },
};

/*
 * STRICT: a column holds what its type says, as in PostgreSQL. WITHOUT ROWID: a row lies in its
 * primary key's own tree, so that finding it is one search and adding an event touches two trees,
 * not three.
 */
static enum err sqlite_define(struct task *task, struct db *db, struct str text)
{
	struct str mapped = STR_NONE;

	TRY(define_text(task, text, type_names, COUNT_OF(type_names), &mapped));
	if (str_starts_with(text, STR("CREATE TABLE")))
		mapped = STR_JOIN(&task->arena, mapped, STR(" STRICT, WITHOUT ROWID"));
	return sqlite_execute(task, db, mapped.at);
}

static enum err sqlite_hold(struct task *task, struct db *base, struct str path, int64_t bytes)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	TRY(sqlite_reserve_open(task, path, bytes, &db->reserve));
	if (db->reserve.held < bytes)
		sqlite_note_full(task, db);
	return OK;
}

static bool sqlite_is_full(const struct db *db)
{
	return atomic_load(&((const struct sqlite_db *)db)->is_full);
}

const struct sql_driver sqlite_driver = {
	.batch = 256,
	.writers = 1,
	.begin = "BEGIN IMMEDIATE",
	.has_schema = &HAS_SCHEMA,
	.claim = sqlite_claim,
	.release = sqlite_release,
	.open = sqlite_open,
	.close = sqlite_close,
	.start = sqlite_start,
	.step = sqlite_step,
	.column = sqlite_column,
	.finish = sqlite_finish,
	.rest = sqlite_rest,
	.execute = sqlite_execute,
	.define = sqlite_define,
	.hold = sqlite_hold,
	.is_full = sqlite_is_full,
	.check_reserve = sqlite_reserve_check,
	.inspect = sqlite_inspect,
	.run_batch = sqlite_run_batch,
};
