/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "config/file.h"
#include "store/backup.h"
#include "store/sqlite_raw.h"

#define COPY_BLOCK (64 * 1024)

static const char *const belongings[] = { "", "-wal", "-shm", "-journal", ".lock", ".keys" };

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static bool copy_bytes(int from, int to, char block[COPY_BLOCK])
{
	ssize_t got;

	while ((got = read(from, block, COPY_BLOCK)) > 0)
		if (write(to, block, (size_t)got) != got)
			return false;
	return got == 0 && fsync(to) == 0;
}

static enum err copy_file(struct task *task, struct str source, struct str target)
{
	CLEANUP(close_fd) int from = open(str_to_c(&task->arena, source), O_RDONLY | O_CLOEXEC);
	CLEANUP(close_fd) int to = -1;
	struct stat status;

	if (from < 0 || fstat(from, &status) != 0)
		return failf(task, ERR_CONFIG, "%.*s: cannot be opened: %s", STR_FMT(source),
			     strerror(errno));
	if (!S_ISREG(status.st_mode))
		return failf(task, ERR_CONFIG, "%.*s: is not a file", STR_FMT(source));
	to = open(str_to_c(&task->arena, target),
		  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0 || !copy_bytes(from, to, arena_alloc(&task->arena, COPY_BLOCK)))
		return failf(task, ERR_IO, "%.*s: cannot be written: %s", STR_FMT(target),
			     strerror(errno));
	return OK;
}

static enum err refuse(struct task *task, struct str file)
{
	return failf(task, ERR_CONFIG,
		     "%.*s is damaged, or not a backup made by grantctl backup (%.*s); nothing was "
		     "changed, take another",
		     STR_FMT(file), STR_FMT(task->reason));
}

static enum err check_whole(struct task *task, sqlite3 *db, const char *question)
{
	struct str answer = STR_NONE;

	TRY(raw_text(task, db, question, &answer));
	if (answer.at != NULL && !str_equals(answer, STR("ok")))
		return failf(task, ERR_CONFIG, "%.*s", STR_FMT(answer));
	return OK;
}

static enum err read_time(struct task *task, sqlite3 *db, const char *question, int64_t *ret_at)
{
	struct str text = STR_NONE;
	uint64_t at;

	TRY(raw_text(task, db, question, &text));
	if (!str_to_u64(text, INT64_MAX, &at))
		return fail(task, ERR_CONFIG, "it does not say when it was made");
	*ret_at = (int64_t)at;
	return OK;
}

static enum err check_main(struct task *task, sqlite3 *db, int64_t *ret_made_at)
{
	TRY(check_whole(task, db, "PRAGMA main.integrity_check(1)"));
	TRY(check_whole(task, db, "PRAGMA main.foreign_key_check"));
	return read_time(task, db, "SELECT value FROM main.facts WHERE name = 'backup_made_at'",
			 ret_made_at);
}

static enum err check_keys(struct task *task, sqlite3 *db, int64_t *ret_made_at)
{
	TRY(check_whole(task, db, "PRAGMA keys.integrity_check(1)"));
	return read_time(task, db, "SELECT value FROM keys.facts WHERE name = 'backup_made_at'",
			 ret_made_at);
}

static enum err check_same(struct task *task, sqlite3 *db, struct str keys_file)
{
	struct str other = STR_NONE;

	TRY(raw_text(task, db,
		     "SELECT m.name FROM main.facts m LEFT JOIN keys.facts k ON k.name = m.name"
		     " WHERE m.name IN ('issuer', 'root_fingerprint')"
		     " AND (k.value IS NULL OR k.value <> m.value)",
		     &other));
	if (other.at != NULL)
		return failf(task, ERR_CONFIG, "%.*s is of another installation (%.*s)",
			     STR_FMT(keys_file), STR_FMT(other));
	return OK;
}

static enum err join_keys(struct task *task, sqlite3 *db, struct str keys_file, struct str copy)
{
	int64_t made_at = 0;

	if (raw_run(task, db, "ATTACH $1 AS keys", copy) != OK ||
	    check_keys(task, db, &made_at) != OK)
		return refuse(task, keys_file);
	if (task->now - made_at > BACKUP_KEYS_LIFE_MS)
		return failf(task, ERR_CONFIG,
			     "%.*s was made at %.*s: people's keys are put back for 30 days, so "
			     "that no backup undoes an erasure; name a newer one with --keys",
			     STR_FMT(keys_file), STR_FMT(clock_format(&task->arena, made_at)));
	TRY(check_same(task, db, keys_file));
	return raw_execute(task, db,
			   "PRAGMA main.journal_mode=MEMORY;"
			   "BEGIN;"
			   "INSERT INTO main.user_keys SELECT user_id, wrapped_key, root_number"
			   " FROM keys.user_keys WHERE user_id IN (SELECT id FROM main.users);"
			   "DELETE FROM main.facts WHERE name = 'backup_made_at';"
			   "COMMIT");
}

static enum err assemble(struct task *task, const struct backup_files *files, struct str place,
			 int64_t *ret_made_at)
{
	struct str copy = STR_JOIN(&task->arena, place, STR(".keys"));
	CLEANUP(raw_close) sqlite3 *db = NULL;

	TRY(copy_file(task, files->file, place));
	TRY(copy_file(task, files->keys, copy));
	if (raw_open(task, place, &db) != OK || check_main(task, db, ret_made_at) != OK)
		return refuse(task, files->file);
	TRY(join_keys(task, db, files->keys, copy));
	TRY(raw_execute(task, db, "DETACH keys"));
	(void)unlink(str_to_c(&task->arena, copy));
	return OK;
}

enum err backup_assemble(struct task *task, const struct backup_files *files, struct str place,
			 int64_t *ret_made_at)
{
	enum err err;

	backup_discard(task, place); /* what a crash left */
	err = assemble(task, files, place, ret_made_at);
	if (err != OK)
		backup_discard(task, place);
	return err;
}

void backup_discard(struct task *task, struct str assembled)
{
	for (size_t i = 0; i < COUNT_OF(belongings); i++)
		(void)unlink(STR_JOIN(&task->arena, assembled, str_from_c(belongings[i])).at);
}

/* Closing the last connection moves the log into the file, if the file is sound. */
static void fold_log(struct task *task, struct str place)
{
	CLEANUP(raw_close) sqlite3 *db = NULL;

	if (raw_open(task, place, &db) != OK ||
	    raw_execute(task, db, "PRAGMA wal_checkpoint(TRUNCATE)") != OK)
		task_forgive(task);
}

/* A second name for what is there. */
static enum err set_aside(struct task *task, struct str place, struct str aside)
{
	(void)unlink(aside.at);
	(void)unlink(STR_JOIN(&task->arena, aside, STR("-wal")).at);
	if (link(str_to_c(&task->arena, place), aside.at) != 0)
		return failf(task, ERR_IO, "%.*s: cannot be written: %s", STR_FMT(aside),
			     strerror(errno));
	return OK;
}

/*
 * SQLite does not ask which database a log belongs to: one that stays here would be played into the
 * new one. What could not be folded goes aside with its database, which is unlinked first: so for a
 * moment there is none, and never one without its log.
 */
static enum err move_log(struct task *task, struct str place, struct str log, struct str log_aside)
{
	if (unlink(str_to_c(&task->arena, place)) != 0 && errno != ENOENT)
		return failf(task, ERR_IO, "%.*s: cannot be set aside: %s", STR_FMT(place),
			     strerror(errno));
	if (rename(log.at, log_aside.at) != 0)
		return failf(task, ERR_IO, "%.*s: cannot be set aside: %s", STR_FMT(log),
			     strerror(errno));
	return file_sync_folder(task, place);
}

/*
 * A log without a database is what a crash of a restore leaves, or somebody who moved the database
 * alone: whose it is nobody can tell, so its new name ties it to none.
 */
static enum err clear_place(struct task *task, struct str place)
{
	struct str aside = STR_JOIN(&task->arena, place, STR(".before-restore"));
	struct str log = STR_JOIN(&task->arena, place, STR("-wal"));
	struct str log_aside = STR_JOIN(&task->arena, log, STR(".before-restore"));

	if (file_exists(task, place)) {
		fold_log(task, place);
		TRY(set_aside(task, place, aside));
		log_aside = STR_JOIN(&task->arena, aside, STR("-wal"));
	}
	if (file_exists(task, log))
		TRY(move_log(task, place, log, log_aside));
	(void)unlink(STR_JOIN(&task->arena, place, STR("-shm")).at);
	return OK;
}

enum err backup_install(struct task *task, struct str assembled, struct str place)
{
	TRY(clear_place(task, place));
	if (rename(str_to_c(&task->arena, assembled), str_to_c(&task->arena, place)) != 0)
		return failf(task, ERR_IO, "%.*s: cannot be written: %s", STR_FMT(place),
			     strerror(errno));
	backup_discard(task, assembled);
	return file_sync_folder(task, place);
}
