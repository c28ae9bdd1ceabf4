/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/task.h"
#include "config/file.h"
#include "store/backup.h"
#include "store/sqlite_raw.h"
#include "store/store.h"

/* How many steps of SQLite's machine between two looks at whether to give up. */
#define LOOK_EVERY 10000

static const char split_tables[] =
	"CREATE TABLE keys.user_keys (user_id TEXT NOT NULL PRIMARY KEY,"
	" wrapped_key BLOB NOT NULL, root_number INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE keys.facts (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
	" STRICT, WITHOUT ROWID;";
/* secure_delete writes zeros over what is deleted */
static const char split_rows[] =
	"BEGIN;"
	"INSERT INTO keys.user_keys SELECT user_id, wrapped_key, root_number FROM main.user_keys;"
	"INSERT INTO keys.facts SELECT name, value FROM main.facts"
	" WHERE name IN ('issuer', 'root_fingerprint', 'backup_made_at');"
	"DELETE FROM main.user_keys;"
	"COMMIT";

bool backup_is_ours(struct str database)
{
	return str_starts_with(database, STR("sqlite:"));
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int look(void *is_over)
{
	return atomic_load((const atomic_bool *)is_over) ? 1 : 0;
}

/*
 * The copies under way. They hold people's keys, which must not outlive their 30 days, so their
 * names are always the same: what a kill -9 leaves, the next backup into that folder removes.
 */
struct making {
	const struct backup_files *files;
	struct str folder;
	struct str file;
	struct str keys;
};

static struct str folder_of(struct task *task, struct str file)
{
	while (file.len > 0 && file.at[file.len - 1] != '/')
		file.len--;
	return file.len == 0 ? STR("./") : str_copy(&task->arena, file);
}

static struct making making_of(struct task *task, const struct backup_files *files)
{
	struct str folder = folder_of(task, files->file);

	return (struct making){
		.files = files,
		.folder = folder,
		.file = STR_JOIN(&task->arena, folder, STR("grantd-backup.unfinished")),
		.keys = STR_JOIN(&task->arena, folder, STR("grantd-backup.unfinished.keys"))
	};
}

/* One at a time in a folder, also among several grantd. */
static enum err claim_folder(struct task *task, const struct making *making, int *ret_fd)
{
	*ret_fd = open(making->folder.at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return failf(task, ERR_IO, "%.*s: cannot be written: %s",
			     STR_FMT(making->files->file), strerror(errno));
	if (flock(*ret_fd, LOCK_EX | LOCK_NB) != 0)
		return failf(task, ERR_CONFLICT,
			     "%.*s: another grantd is writing a backup there; try again when it is "
			     "done",
			     STR_FMT(making->folder));
	return OK;
}

static void discard(const struct making *making)
{
	(void)unlink(making->file.at);
	(void)unlink(making->keys.at);
}

/* Empty and private before anything is in it. */
static enum err create(struct task *task, struct str path, struct str file)
{
	CLEANUP(close_fd) int fd = -1;

	if (file_exists(task, file))
		return failf(task, ERR_CONFLICT,
			     "%.*s is there already; no backup is written over another",
			     STR_FMT(file));
	fd = open(path.at, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failf(task, ERR_IO, "%.*s: cannot be written: %s", STR_FMT(path),
			     strerror(errno));
	return OK;
}

/* On disk, then under its name; a name taken meanwhile is not taken from it. */
static enum err finish(struct task *task, struct str path, struct str file)
{
	CLEANUP(close_fd) int fd = open(path.at, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0 || link(path.at, str_to_c(&task->arena, file)) != 0)
		return failf(task, errno == EEXIST ? ERR_CONFLICT : ERR_IO,
			     "%.*s: cannot be written: %s", STR_FMT(file), strerror(errno));
	return file_remove(task, path);
}

static enum err copy(struct task *task, struct str source, struct str target,
		     const atomic_bool *is_over)
{
	CLEANUP(raw_close) sqlite3 *db = NULL;

	TRY(raw_open(task, source, &db));
	/* SQLite only hands the pointer back to us */
	sqlite3_progress_handler(db, LOOK_EVERY, look, (void *)(uintptr_t)is_over);
	return raw_run(task, db, "VACUUM INTO $1", target);
}

static enum err split(struct task *task, const struct making *making)
{
	CLEANUP(raw_close) sqlite3 *db = NULL;
	struct str made_at = str_printf(&task->arena, "%lld", (long long)task->now);

	TRY(raw_open(task, making->file, &db));
	TRY(raw_execute(task, db, "PRAGMA journal_mode=MEMORY; PRAGMA secure_delete=ON"));
	TRY(raw_run(task, db, "ATTACH $1 AS keys", making->keys));
	TRY(raw_execute(task, db, "PRAGMA keys.journal_mode=MEMORY"));
	TRY(raw_execute(task, db, split_tables));
	TRY(raw_run(task, db, "INSERT INTO main.facts (name, value) VALUES ('backup_made_at', $1)",
		    made_at));
	return raw_execute(task, db, split_rows);
}

static enum err make(struct task *task, struct str source, const struct making *making,
		     const atomic_bool *is_over)
{
	const struct backup_files *files = making->files;
	enum err err;

	discard(making); /* what a crash left */
	TRY(create(task, making->file, files->file));
	TRY(create(task, making->keys, files->keys));
	TRY(copy(task, source, making->file, is_over));
	TRY(split(task, making));
	/* the keys first: the other without them is of no use */
	TRY(finish(task, making->keys, files->keys));
	err = finish(task, making->file, files->file);
	if (err != OK) /* alone they would be in the way of the next of that name */
		(void)unlink(str_to_c(&task->arena, files->keys));
	return err;
}

enum err store_backup(struct task *task, struct store *store, const struct backup_files *files,
		      const atomic_bool *is_over)
{
	struct making making = making_of(task, files);
	CLEANUP(close_fd) int folder = -1;
	struct str source = STR_NONE;
	enum err err;

	if (!store_is_file(store, &source))
		return fail(task, ERR_CONFIG,
			    "the database is PostgreSQL: use pg_dump as docs/operator.md says");
	TRY(claim_folder(task, &making, &folder));
	err = make(task, source, &making, is_over);
	discard(&making);
	return err;
}
