/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/task.h"
#include "config/file.h"
#include "store/driver.h"
#include "store/ended_file.h"

#define MARK_AT	  (sizeof(ENDED_HEADER) - 1)
#define NOTES_MAX (64 * 1024)

struct ended {
	int fd;
	int head_fd;		   /* the same file, to write the mark in place */
	pthread_mutex_t appending; /* held while lines are appended, not while they are synced */
	bool is_lost;		   /* lines are missing behind what is there */
	off_t torn_at;		   /* half a text stands from there on; -1: none */
};

struct ended_notes {
	struct ended *ended;
	size_t len;
	bool is_to_sync; /* lines of this transaction were appended before they were too many */
	bool has_kept;	 /* lines of the transaction whose commit is next */
	char text[NOTES_MAX];
};

static enum err create(struct task *task, struct str path)
{
	return file_replace(task, path,
			    str_printf(&task->arena, ENDED_HEADER "%c %lld\n", ENDED_WHOLE,
				       (long long)task->now),
			    0600);
}

/* A line that a crash tore was never acknowledged. */
static enum err cut_torn_line(struct task *task, struct str path, int fd)
{
	off_t end = lseek(fd, 0, SEEK_END), at = end;
	char last = 0;

	while (at > 0 && pread(fd, &last, 1, at - 1) == 1 && last != '\n')
		at--;
	if (at == 0)
		return failf(task, ERR_CONFIG, "%.*s: is not a record of what has ended",
			     STR_FMT(path));
	if (at < end && (ftruncate(fd, at) != 0 || fdatasync(fd) != 0))
		return failf(task, ERR_CONFIG, "%.*s: cannot be written: %s", STR_FMT(path),
			     strerror(errno));
	return OK;
}

static enum err read_header(struct task *task, struct str path, struct ended *ended)
{
	char text[sizeof(ENDED_HEADER "+ ") - 1] = { 0 };
	char mark;

	if (pread(ended->fd, text, sizeof(text), 0) != (ssize_t)sizeof(text) ||
	    !str_equals((struct str){ text, MARK_AT }, STR(ENDED_HEADER)))
		return failf(task, ERR_CONFIG,
			     "%.*s: is not a record of what has ended; put it back from where it "
			     "is, or move it away",
			     STR_FMT(path));
	mark = text[MARK_AT];
	if ((mark != ENDED_WHOLE && mark != ENDED_LOST) || text[MARK_AT + 1] != ' ')
		return failf(task, ERR_CONFIG, "%.*s: its first line is damaged; move it away",
			     STR_FMT(path));
	ended->is_lost = mark == ENDED_LOST;
	return OK;
}

static enum err open_file(struct task *task, struct str path, int flags, int *ret_fd)
{
	*ret_fd = open(str_to_c(&task->arena, path), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags);
	if (*ret_fd < 0)
		return failf(task, ERR_CONFIG, "%.*s: cannot be opened: %s", STR_FMT(path),
			     strerror(errno));
	return OK;
}

static bool cut_torn_text(struct ended *ended)
{
	if (ended->torn_at >= 0 && ftruncate(ended->fd, ended->torn_at) != 0)
		return false;
	ended->torn_at = -1;
	return true;
}

/* The whole text, or as if nothing had been tried: nothing is put behind half a text. */
static bool append_text(struct ended *ended, struct str text)
{
	ssize_t done;
	off_t end;

	if (!cut_torn_text(ended))
		return false;
	end = lseek(ended->fd, 0, SEEK_END);
	done = write(ended->fd, text.at, text.len);
	if (done == (ssize_t)text.len)
		return true;
	if (done > 0)
		ended->torn_at = end;
	(void)cut_torn_text(ended); /* else before the next text */
	return false;
}

static bool set_mark(const struct ended *ended, char mark)
{
	return pwrite(ended->head_fd, &mark, 1, MARK_AT) == 1;
}

/* Also for the next process: "lost" may have no room until then. */
static void lose(struct ended *ended)
{
	ended->is_lost = true;
	(void)set_mark(ended, ENDED_LOST); /* say_lost is said in any case */
}

/* By the clock, for an act that was lost may have begun after this one. The mark goes last. */
static bool own_up(struct task *task, struct ended *ended)
{
	struct str lost = str_printf(&task->arena, "%lld lost - -\n",
				     (long long)clock_wall(task->clock));

	if (!append_text(ended, lost) || fdatasync(ended->fd) != 0 || !set_mark(ended, ENDED_WHOLE))
		return false;
	ended->is_lost = false;
	return true;
}

enum err ended_open(struct task *task, struct str path, struct ended **ret_ended)
{
	CLEANUP(ended_free) struct ended *ended = calloc(1, sizeof(*ended));

	if (ended == NULL)
		abort();
	pthread_mutex_init(&ended->appending, NULL);
	ended->fd = ended->head_fd = -1;
	ended->torn_at = -1;
	if (!file_exists(task, path))
		TRY(create(task, path));
	TRY(open_file(task, path, O_APPEND, &ended->fd));
	TRY(open_file(task, path, 0, &ended->head_fd));
	TRY(read_header(task, path, ended));
	TRY(cut_torn_line(task, path, ended->fd));
	if (ended->is_lost)
		(void)own_up(task, ended); /* else with the next line */
	*ret_ended = ended;
	ended = NULL;
	return OK;
}

void ended_free(struct ended **ended)
{
	if (*ended == NULL)
		return;
	if ((*ended)->fd >= 0)
		close((*ended)->fd);
	if ((*ended)->head_fd >= 0)
		close((*ended)->head_fd);
	pthread_mutex_destroy(&(*ended)->appending);
	free(*ended);
	*ended = NULL;
}

struct ended_notes *ended_notes_new(struct ended *ended)
{
	struct ended_notes *notes = malloc(sizeof(*notes));

	if (notes == NULL)
		abort();
	notes->ended = ended;
	notes->len = 0;
	notes->is_to_sync = false;
	notes->has_kept = false;
	return notes;
}

void ended_notes_free(struct ended_notes **notes)
{
	free(*notes);
	*notes = NULL;
}

static bool append_locked(struct task *task, struct ended *ended, struct str text)
{
	if ((!ended->is_lost || own_up(task, ended)) && append_text(ended, text))
		return true;
	lose(ended);
	return false;
}

static void say_lost(struct task *task)
{
	log_error(task, "ended.not_kept",
		  LOG_STR("why", STR("what has just ended would live again after a restore of an "
				     "older backup; is the disk of DIR full?")),
		  LOG_STR("error", str_from_c(strerror(errno))));
}

static void append(struct task *task, struct ended_notes *notes)
{
	struct ended *ended = notes->ended;
	bool is_kept;

	pthread_mutex_lock(&ended->appending);
	is_kept = append_locked(task, ended, (struct str){ notes->text, notes->len });
	pthread_mutex_unlock(&ended->appending);
	if (!is_kept)
		say_lost(task);
	notes->len = 0;
	notes->is_to_sync = true;
}

void ended_note(struct task *task, struct db *db, const char *verb, struct str id, struct str more)
{
	struct ended_notes *notes = db->ended;
	struct str line;

	if (notes == NULL)
		return;
	line = str_printf(&task->arena, "%lld %s %.*s %.*s\n", (long long)task->now, verb,
			  STR_FMT(id), STR_FMT(more.at == NULL ? STR("-") : more));
	if (notes->len + line.len > sizeof(notes->text))
		append(task, notes);
	memcpy(notes->text + notes->len, line.at, line.len);
	notes->len += line.len;
}

size_t ended_mark(const struct db *db)
{
	return db->ended == NULL ? 0 : db->ended->len;
}

/* What was appended because it was too much stays: a restore ends rather too much. */
void ended_back_to(struct db *db, size_t mark)
{
	if (db->ended != NULL && db->ended->len > mark)
		db->ended->len = mark;
}

void ended_keep(struct task *task, struct db *db)
{
	struct ended_notes *notes = db->ended;

	if (notes == NULL)
		return;
	notes->has_kept = notes->len > 0 || notes->is_to_sync;
	if (!notes->has_kept)
		return;
	if (notes->len > 0)
		append(task, notes);
	if (fdatasync(notes->ended->fd) != 0) {
		pthread_mutex_lock(&notes->ended->appending);
		lose(notes->ended);
		pthread_mutex_unlock(&notes->ended->appending);
		say_lost(task);
	}
	notes->is_to_sync = false;
}

void ended_unkept(struct task *task, struct db *db)
{
	struct ended_notes *notes = db->ended;

	if (notes == NULL || !notes->has_kept)
		return;
	notes->has_kept = false;
	notes->len = 0;
	ended_note(task, db, ENDED_UNKEPT, STR("-"), STR_NONE);
	append(task, notes);
	notes->is_to_sync = false;
}
