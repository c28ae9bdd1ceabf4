/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a database is whole, before anybody relies on it. */
#include <sys/stat.h>

#include "base/buf.h"
#include "base/task.h"
#include "store/sqlite.h"
#include "store/sqlite_raw.h"

/* SQLite's words come in lines. */
static struct str in_one_line(struct arena *arena, struct str text)
{
	struct buf buf = buf_in(arena, text.len + 1);
	struct str line = STR_NONE;

	for (size_t i = 0; i < text.len; i++)
		buf_add_char(&buf, text.at[i] == '\n' ? ' ' : text.at[i]);
	return buf_finish(&buf, &line) == OK ? line : STR_NONE;
}

static enum err refuse(struct task *task, struct str path, struct str why)
{
	return failf(task, ERR_CONFIG,
		     "the database %.*s is damaged (%.*s); nothing was changed: put a backup back "
		     "with grantd restore",
		     STR_FMT(path), STR_FMT(in_one_line(&task->arena, why)));
}

enum err sqlite_say_damage(struct task *task, struct sqlite_db *db, struct str path, enum err err)
{
	int code = sqlite3_errcode(db->handle) & 0xFF;

	if (code != SQLITE_CORRUPT && code != SQLITE_NOTADB)
		return err;
	return refuse(task, path, str_from_c(sqlite3_errmsg(db->handle)));
}

static bool is_small(struct task *task, struct str path, int64_t bytes_max)
{
	struct stat status;

	return stat(str_to_c(&task->arena, path), &status) == 0 && status.st_size <= bytes_max;
}

/*
 * Each page is read once, and what is kept of it stays with an idle grantd: few of them at a time,
 * else all of a small database.
 */
static enum err look_through(struct task *task, struct sqlite_db *db, struct str *ret_answer)
{
	TRY(raw_execute(task, db->handle, "PRAGMA cache_size=-200"));
	TRY(raw_text(task, db->handle, "PRAGMA quick_check(1)", ret_answer));
	return raw_execute(task, db->handle, SQLITE_READ_CACHE);
}

enum err sqlite_inspect(struct task *task, struct db *base, struct str path, int64_t bytes_max)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	struct str answer = STR_NONE;
	enum err err = is_small(task, path, bytes_max)
			       ? look_through(task, db, &answer)
			       : raw_text(task, db->handle,
					  "SELECT 'ok' FROM sqlite_schema LIMIT 1", &answer);

	if (err != OK)
		return sqlite_say_damage(task, db, path,
					 fail(task, ERR_STORE, "the database cannot be read"));
	if (answer.at != NULL && !str_equals(answer, STR("ok")))
		return refuse(task, path, answer);
	return OK;
}
