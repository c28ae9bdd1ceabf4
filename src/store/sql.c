/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include <assert.h>
#include <string.h>

#include "base/task.h"
#include "store/driver.h"

/* The linker makes these two for a section whose name is a C identifier. */
extern const struct sql __start_grantd_sql[] __attribute__((visibility("hidden")));
extern const struct sql __stop_grantd_sql[] __attribute__((visibility("hidden")));

#define LIST_FIRST 4

size_t sql_count(void)
{
	return (size_t)(__stop_grantd_sql - __start_grantd_sql);
}

const struct sql *sql_at(size_t number)
{
	return &__start_grantd_sql[number];
}

size_t sql_number(const struct sql *sql)
{
	return (size_t)(sql - __start_grantd_sql);
}

struct sql_value sql_text(struct str text)
{
	return (struct sql_value){ .kind = SQL_KIND_TEXT,
				   .is_null = text.at == NULL,
				   .bytes = text };
}

struct sql_value sql_blob(struct str bytes)
{
	return (struct sql_value){ .kind = SQL_KIND_BLOB,
				   .is_null = bytes.at == NULL,
				   .bytes = bytes };
}

struct sql_value sql_int(int64_t number)
{
	return (struct sql_value){ .kind = SQL_KIND_INT, .number = number };
}

struct sql_value sql_time(int64_t wall_ms)
{
	return (struct sql_value){ .kind = SQL_KIND_INT,
				   .is_null = wall_ms == 0,
				   .number = wall_ms };
}

struct str row_str(struct task *task, struct sql_row *row)
{
	struct sql_value value = row->cursor->db->driver->column(row->cursor, row->column++);

	if (value.is_null)
		return STR_NONE;
	return str_copy(&task->arena, value.bytes);
}

int64_t row_int(struct sql_row *row)
{
	struct sql_value value = row->cursor->db->driver->column(row->cursor, row->column++);

	return value.is_null ? 0 : value.number;
}

static enum err check_args(struct task *task, struct sql_args args)
{
	assert(args.count <= SQL_ARGS_MAX);
	for (size_t i = 0; i < args.count; i++) {
		if (args.at[i].kind == SQL_KIND_TEXT && !str_is_text(args.at[i].bytes))
			return fail(task, ERR_REQUEST, "text that is not UTF-8, or has a NUL");
	}
	return OK;
}

static enum err start(struct task *task, struct db *db, const struct sql *sql, struct sql_args args,
		      struct sql_cursor *cursor)
{
	TRY(check_args(task, args));
	return db->driver->start(task, db, sql, args, cursor);
}

enum err sql_exec(struct task *task, struct db *db, const struct sql *sql, struct sql_args args,
		  int64_t *ret_changed)
{
	struct sql_cursor cursor = { 0 };
	bool has_row = true;
	enum err err = OK;

	TRY(start(task, db, sql, args, &cursor));
	while (err == OK && has_row)
		err = db->driver->step(task, &cursor, &has_row);
	db->driver->finish(&cursor);
	if (err == OK && ret_changed != NULL)
		*ret_changed = cursor.changed;
	return err;
}

/* Runs to the last row, for only then a changing statement is over. */
static enum err read_first(struct task *task, struct sql_cursor *cursor, sql_read_fn *read,
			   void *ret)
{
	const struct sql_driver *driver = cursor->db->driver;
	struct sql_row row = { .cursor = cursor };
	bool has_row = false;

	TRY(driver->step(task, cursor, &has_row));
	if (!has_row)
		return fail(task, ERR_NOT_FOUND, "there is none of that name");
	TRY(read(task, &row, ret));
	while (has_row)
		TRY(driver->step(task, cursor, &has_row));
	return OK;
}

enum err sql_one(struct task *task, struct db *db, const struct sql *sql, struct sql_args args,
		 sql_read_fn *read, void *ret)
{
	struct sql_cursor cursor = { 0 };
	enum err err;

	TRY(start(task, db, sql, args, &cursor));
	err = read_first(task, &cursor, read, ret);
	db->driver->finish(&cursor);
	return err;
}

static void *list_room(struct task *task, struct sql_list *list, size_t *room)
{
	if (list->count == *room) {
		size_t wider = *room == 0 ? LIST_FIRST : *room * 2;
		void *items = arena_alloc_array(&task->arena, wider, list->size);

		if (list->count > 0)
			memcpy(items, list->items, list->count * list->size);
		list->items = items;
		*room = wider;
	}
	return (char *)list->items + list->count * list->size;
}

static enum err read_all(struct task *task, struct sql_cursor *cursor, struct sql_list *list)
{
	size_t room = 0;
	bool has_row = false;

	TRY(cursor->db->driver->step(task, cursor, &has_row));
	while (has_row) {
		struct sql_row row = { .cursor = cursor };

		TRY(list->read(task, &row, list_room(task, list, &room)));
		list->count++;
		TRY(cursor->db->driver->step(task, cursor, &has_row));
	}
	return OK;
}

enum err sql_all(struct task *task, struct db *db, const struct sql *sql, struct sql_args args,
		 struct sql_list *list)
{
	struct sql_cursor cursor = { 0 };
	enum err err;

	list->items = NULL;
	list->count = 0;
	TRY(start(task, db, sql, args, &cursor));
	err = read_all(task, &cursor, list);
	db->driver->finish(&cursor);
	return err;
}

static enum err read_int(struct task *task, struct sql_row *row, void *ret)
{
	(void)task;
	*(int64_t *)ret = row_int(row);
	return OK;
}

enum err sql_one_int(struct task *task, struct db *db, const struct sql *sql, struct sql_args args,
		     int64_t *ret_number)
{
	return sql_one(task, db, sql, args, read_int, ret_number);
}

enum err driver_choose(struct task *task, struct str database, const struct sql_driver **ret_driver,
		       struct str *ret_place)
{
	if (str_starts_with(database, STR("sqlite:"))) {
		*ret_driver = &sqlite_driver;
		*ret_place = str_from(database, STR("sqlite:").len);
		return OK;
	}
	if (str_starts_with(database, STR("postgresql://")) ||
	    str_starts_with(database, STR("postgres://"))) {
		*ret_driver = &postgres_driver;
		*ret_place = database;
		return OK;
	}
	return fail(task, ERR_CONFIG,
		    "database must be sqlite:/path/to/grantd.db or postgresql://…");
}
