/* SPDX-License-Identifier: Apache-2.0 */
#include "store/postgres.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "store/define.h"

#define NAME_ROOM 24

/* pg_type.h; they never change */
#define TYPE_BYTEA 17
#define TYPE_INT8  20
#define TYPE_INT4  23
#define TYPE_TEXT  25

static STATEMENT HAS_SCHEMA = { "SELECT count(*) FROM information_schema.tables"
				" WHERE table_schema = current_schema()"
				" AND table_name = 'schema_version'" };

/* Everything travels in binary: no spelling, no escaping, no guess at a type. */
struct parameters {
	int count;
	Oid types[SQL_ARGS_MAX];
	const char *values[SQL_ARGS_MAX];
	int lengths[SQL_ARGS_MAX];
	int formats[SQL_ARGS_MAX];
	int64_t numbers[SQL_ARGS_MAX];
};

static const Oid kind_types[] = {
	[SQL_KIND_NULL] = TYPE_TEXT,
	[SQL_KIND_INT] = TYPE_INT8,
	[SQL_KIND_TEXT] = TYPE_TEXT,
	[SQL_KIND_BLOB] = TYPE_BYTEA,
};

static void spell(const struct sql_args *args, struct parameters *to)
{
	assert(args->count <= SQL_ARGS_MAX);
	to->count = (int)args->count;
	for (size_t i = 0; i < args->count; i++) {
		const struct sql_value *value = &args->at[i];

		to->types[i] = kind_types[value->kind];
		to->formats[i] = 1;
		to->values[i] = value->bytes.at;
		to->lengths[i] = (int)value->bytes.len;
		if (value->kind == SQL_KIND_INT) {
			to->numbers[i] = (int64_t)htobe64((uint64_t)value->number);
			to->values[i] = (const char *)&to->numbers[i];
			to->lengths[i] = sizeof(to->numbers[i]);
		}
		if (value->is_null)
			to->values[i] = NULL;
	}
}

static void close_db(struct db **closing)
{
	struct postgres_db *db = (struct postgres_db *)*closing;

	*closing = NULL;
	if (db == NULL)
		return;
	postgres_drop(db);
	explicit_bzero(db->uri, strlen(db->uri)); /* it may hold a password */
	free(db->uri);
	free(db->prepared);
	free(db);
}

static enum err claim(struct task *task, struct str place, bool create, void **ret_claim)
{
	const struct postgres_api *api = NULL;

	(void)place;
	(void)create;
	TRY(postgres_api_load(task, &api));
	*ret_claim = NULL;
	return OK;
}

static void release(void **nothing)
{
	*nothing = NULL;
}

/* Connects at first use, so that a server that is late does not keep the daemon from starting. */
static enum err open_db(struct task *task, struct str place, enum db_use use, struct db **ret_db)
{
	const struct postgres_api *api = NULL;
	struct postgres_db *db;

	TRY(postgres_api_load(task, &api));
	db = calloc(1, sizeof(*db));
	if (db == NULL)
		abort();
	db->db.driver = &postgres_driver;
	db->api = api;
	db->use = use;
	db->uri = strndup(place.at, place.len);
	db->prepared_count = sql_count();
	db->prepared = calloc(db->prepared_count + 1, sizeof(*db->prepared));
	if (db->uri == NULL || db->prepared == NULL)
		abort();
	*ret_db = &db->db;
	return OK;
}

static enum err prepare(struct task *task, struct postgres_db *db, const struct sql *sql,
			const char *name, const struct parameters *parameters)
{
	size_t number = sql_number(sql);
	PGresult *result = NULL;

	assert(number < db->prepared_count);
	if (db->prepared[number])
		return OK;
	if (!db->api->send_prepare(db->connection, name, sql->text, parameters->count,
				   parameters->types)) {
		postgres_drop(db);
		return fail(task, ERR_STORE, "the connection to the database was lost");
	}
	TRY(postgres_await(task, db, &result));
	db->api->clear(result);
	db->prepared[number] = true;
	return OK;
}

static enum err run(struct task *task, struct postgres_db *db, const struct sql *sql,
		    const struct parameters *parameters, PGresult **ret_result)
{
	char name[NAME_ROOM];

	snprintf(name, sizeof(name), "s%zu", sql_number(sql));
	db->is_conflict = false;
	TRY(postgres_connect(task, db));
	TRY(prepare(task, db, sql, name, parameters));
	if (!db->api->send_prepared(db->connection, name, parameters->count, parameters->values,
				    parameters->lengths, parameters->formats, 1)) {
		postgres_drop(db);
		return fail(task, ERR_STORE, "the connection to the database was lost");
	}
	return postgres_await(task, db, ret_result);
}

static enum err start(struct task *task, struct db *base, const struct sql *sql,
		      struct sql_args args, struct sql_cursor *ret_cursor)
{
	struct postgres_db *db = (struct postgres_db *)base;
	bool was_connected = db->connection != NULL;
	struct parameters parameters;
	PGresult *result = NULL;
	enum err err;

	spell(&args, &parameters);
	err = run(task, db, sql, &parameters, &result);
	/* most often closed while it was idle; a read can be asked again, but not waited for */
	if (err != OK && was_connected && postgres_was_closed(db) && db->use == DB_READ)
		err = run(task, db, sql, &parameters, &result);
	if (err != OK)
		return err;
	*ret_cursor = (struct sql_cursor){
		.db = base, .handle = result, .row = -1, .rows = db->api->rows(result)
	};
	return OK;
}

static enum err step(struct task *task, struct sql_cursor *cursor, bool *ret_row)
{
	(void)task;
	cursor->row++;
	*ret_row = cursor->row < cursor->rows;
	return OK;
}

static int64_t read_int64(const char *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return (int64_t)be64toh(number);
}

static int64_t read_int32(const char *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return (int32_t)be32toh(number);
}

static struct sql_value column(const struct sql_cursor *cursor, int number)
{
	const struct postgres_db *db = (const struct postgres_db *)cursor->db;
	PGresult *result = cursor->handle;
	const char *at = db->api->value(result, cursor->row, number);
	size_t len = (size_t)db->api->length(result, cursor->row, number);

	if (db->api->is_null(result, cursor->row, number))
		return (struct sql_value){ .is_null = true };
	switch (db->api->type(result, number)) {
	case TYPE_INT8:
		return sql_int(read_int64(at));
	case TYPE_INT4:
		return sql_int(read_int32(at));
	case TYPE_BYTEA:
		return sql_blob((struct str){ at, len });
	default:
		return sql_text((struct str){ at, len });
	}
}

static void finish(struct sql_cursor *cursor)
{
	const struct postgres_db *db = (const struct postgres_db *)cursor->db;
	uint64_t changed = 0;

	/* "" for what changes nothing */
	if (str_to_u64(str_from_c(db->api->command_rows(cursor->handle)), INT64_MAX, &changed))
		cursor->changed = (int64_t)changed;
	db->api->clear(cursor->handle);
}

static enum err execute(struct task *task, struct db *base, const char *text)
{
	struct postgres_db *db = (struct postgres_db *)base;

	TRY(postgres_connect(task, db));
	return postgres_run(task, db, text, NULL);
}

/* Byte order, as in SQLite, whatever the database's locale: lists and their `after` rely on it. */
static const struct type_name type_names[] = {
	{ STR_INIT("TEXT"), STR_INIT("TEXT COLLATE \"C\"") },
};

static enum err define(struct task *task, struct db *db, struct str text)
{
	struct str mapped = STR_NONE;

	TRY(define_text(task, text, type_names, COUNT_OF(type_names), &mapped));
	return execute(task, db, mapped.at);
}

const struct sql_driver postgres_driver = {
	.may_block = true,
	.is_shared = true,
	.batch = 1,
	.begin = "BEGIN",
	.migrate_lock = "SELECT pg_advisory_xact_lock(7237957640157520228)", /* "grantd" */
	.has_schema = &HAS_SCHEMA,
	.claim = claim,
	.release = release,
	.open = open_db,
	.close = close_db,
	.start = start,
	.step = step,
	.column = column,
	.finish = finish,
	.execute = execute,
	.define = define,
	.run_batch = postgres_run_batch,
};
