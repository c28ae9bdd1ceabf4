/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup takes as long as the database is large, so the call that begins it does not wait:
 * whoever asked looks again until it is over. One at a time, in a thread of its own.
 */
#include "admin/backup.h"

#include <stdlib.h>

#include "admin/room.h"
#include "authority/events.h"
#include "base/log.h"
#include "config/path.h"
#include "store/backup.h"
#include "store/events.h"

#define WORDS_MAX   1024
#define DETAILS_MAX 8192

enum backup_state { BACKUP_NONE, BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };

struct backup {
	const struct authority *authority;
	pthread_mutex_t lock; /* guards what is up to the empty line */
	enum backup_state state;
	char why[WORDS_MAX]; /* it failed */

	pthread_t thread;
	bool has_thread; /* to be joined; of who holds the lock while no backup runs */
	atomic_bool is_over;
	struct task task; /* of the thread, begun by who asked */
	struct backup_files files;
};

static const char *const state_names[] = { "none", "running", "done", "failed" };

struct backup *backup_new(const struct authority *authority)
{
	struct backup *backup = calloc(1, sizeof(*backup));

	if (backup == NULL)
		abort();
	backup->authority = authority;
	pthread_mutex_init(&backup->lock, NULL);
	return backup;
}

void backup_free(struct backup **backup)
{
	if (*backup == NULL)
		return;
	atomic_store(&(*backup)->is_over, true);
	if ((*backup)->has_thread)
		pthread_join((*backup)->thread, NULL);
	pthread_mutex_destroy(&(*backup)->lock);
	free(*backup);
	*backup = NULL;
}

static enum err write_event(struct task *task, struct db *db, void *arg)
{
	return event_insert(task, db, arg);
}

static enum err record(struct task *task, const struct backup *backup)
{
	struct event event = event_new(task, STR("backup.made"), STR("operator"));
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "file", backup->files.file);
	json_member_str(&json, "keys_file", backup->files.keys);
	json_close(&json);
	TRY(buf_finish(&buf, &event.details));
	return store_write(task, backup->authority->store, write_event, &event);
}

static void end_with(struct backup *backup, enum err err)
{
	struct str why = str_sub(backup->task.reason, 0, WORDS_MAX - 1);

	if (err == OK)
		log_info(&backup->task, "backup.made", LOG_STR("file", backup->files.file));
	else
		log_error(&backup->task, "backup.failed", LOG_STR("reason", why));
	pthread_mutex_lock(&backup->lock);
	for (size_t i = 0; err != OK && i < why.len; i++)
		backup->why[i] = why.at[i];
	backup->why[why.len] = '\0';
	backup->state = err == OK ? BACKUP_DONE : BACKUP_FAILED;
	pthread_mutex_unlock(&backup->lock);
}

static void *run(void *arg)
{
	struct backup *backup = arg;
	struct task *task = &backup->task;
	enum err err = store_backup(task, backup->authority->store, &backup->files,
				    &backup->is_over);

	if (err == OK)
		err = record(task, backup);
	end_with(backup, err);
	task_end(task);
	return NULL;
}

/* What faces the network writes nowhere else (grantd/sandbox). The name loses the links
 * in it. */
static enum err check_place(struct exchange *exchange, struct str *file)
{
	struct str dir = admin_of(exchange)->config.walls->backup_dir;
	struct str folder = path_folder(*file), real;

	if (dir.at == NULL)
		return OK;
	real = path_real(&exchange->task, folder);
	if (path_is_within(real, dir)) {
		*file = STR_JOIN(&exchange->task.arena, real, str_from(*file, folder.len));
		return OK;
	}
	return failf(&exchange->task, ERR_REQUEST,
		     "%.*s: cannot be written: backups are made in %.*s; name a file there, or "
		     "another folder as backup_dir in grantd.conf and restart grantd",
		     STR_FMT(*file), STR_FMT(dir));
}

/* As grantctl spells it out: the daemon's own folder is not the caller's. */
static enum err read_file(struct exchange *exchange, struct str *ret_file)
{
	static const struct member members[] = { { "file", MEMBER_TEXT, true } };
	CLEANUP(json_unref) json_t *body = NULL;
	struct task *task = &exchange->task;
	struct str file;

	TRY(admin_body(exchange, members, COUNT_OF(members), &body));
	file = json_get_str(body, "file");
	if (!str_starts_with(file, STR("/")) || str_ends_with(file, STR("/")) || file.len > 3000)
		return fail(task, ERR_REQUEST, "file is the whole path of a new file");
	TRY(check_place(exchange, &file));
	*ret_file = str_copy(&task->arena, file);
	return OK;
}

static enum err begin_locked(struct exchange *exchange, struct backup *backup, struct str file)
{
	struct task *task = &backup->task;

	if (backup->state == BACKUP_RUNNING)
		return fail(&exchange->task, ERR_CONFLICT, "a backup is being made already");
	if (backup->has_thread)
		pthread_join(backup->thread, NULL);
	task_begin(task, exchange->task.clock, exchange->task.log);
	task_tag(task, "job", STR("backup"));
	backup->files.file = str_copy(&task->arena, file);
	backup->files.keys = STR_JOIN(&task->arena, file, STR(".keys"));
	backup->has_thread = pthread_create(&backup->thread, NULL, run, backup) == 0;
	if (!backup->has_thread) {
		task_end(task);
		return fail(&exchange->task, ERR_INTERNAL, "a thread cannot be started");
	}
	backup->state = BACKUP_RUNNING;
	return OK;
}

static struct backup *backup_of(const struct exchange *exchange)
{
	return admin_of(exchange)->backup;
}

enum err backup_show(struct exchange *exchange)
{
	struct backup *backup = backup_of(exchange);
	struct buf buf;
	struct json_writer json = admin_json(exchange, &buf);

	json_open_object(&json);
	pthread_mutex_lock(&backup->lock);
	json_member_str(&json, "state", str_from_c(state_names[backup->state]));
	if (backup->state == BACKUP_FAILED)
		json_member_str(&json, "message", str_from_c(backup->why));
	pthread_mutex_unlock(&backup->lock);
	json_close(&json);
	return admin_answer(exchange, 200, &buf);
}

enum err backup_begin(struct exchange *exchange)
{
	struct backup *backup = backup_of(exchange);
	struct str file;
	enum err err;

	TRY(read_file(exchange, &file));
	pthread_mutex_lock(&backup->lock);
	err = begin_locked(exchange, backup, file);
	pthread_mutex_unlock(&backup->lock);
	TRY(err);
	return backup_show(exchange);
}
