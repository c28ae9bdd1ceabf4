/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side: starting it, asking it, ending it. */
#include "grantd/errands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/task.h"
#include "config/file.h"
#include "grantd/errands_process.h"
#include "grantd/errands_wire.h"
#include "grantd/process.h"

#define STOP_MS 2000

/* --- asking --- */

static void close_line(struct errand_line *line)
{
	if (line->socket >= 0)
		close(line->socket);
	line->socket = -1;
}

/*
 * Answers OK with what came back; a number that is an error is the caller's to read. A line on
 * which an answer was lost is closed, for the next question would be given that answer; who does
 * errands ends then, and grantd with it.
 */
static enum err ask(struct task *task, struct errand_line *line, struct errand_message *message)
{
	enum err err;

	pthread_mutex_lock(&line->lock);
	err = errand_send(task, line->socket, message);
	if (err == OK)
		err = errand_receive(task, line->socket, message);
	if (err != OK && err != ERR_TOO_LARGE)
		close_line(line);
	pthread_mutex_unlock(&line->lock);
	return err == OK ? OK : ERR_BUSY;
}

static enum err ask_to_do(struct task *task, struct errand_line *line, enum errand errand,
			  struct str text)
{
	struct errand_message message = { .number = errand, .text = text, .file = -1 };

	TRY(ask(task, line, &message));
	if (message.file >= 0)
		close(message.file);
	if (message.number == OK)
		return OK;
	task_note(task, (enum err)message.number, message.text);
	return (enum err)message.number;
}

/* Only what the sandbox keeps from us; all else is opened here. */
static int open_by_errand(void *context, const char *path, int flags)
{
	struct errands *errands = context;
	struct errand_message message = { ERRAND_OPEN, str_from_c(path), -1 };
	struct task scratch = { 0 };
	int file = open(path, flags);
	int error = EACCES;

	if (file >= 0 || errno != EACCES)
		return file;
	if (ask(&scratch, &errands->files, &message) == OK) {
		file = message.file;
		error = (int)message.number;
	}
	/* it was opened, and there is no room for it here */
	if (file < 0 && error == 0)
		error = EMFILE;
	task_end(&scratch);
	errno = error;
	return file;
}

enum err errands_look(struct task *task, struct errands *errands)
{
	return ask_to_do(task, &errands->files, ERRAND_LOOK, STR(""));
}

enum err errands_take_up(struct task *task, struct errands *errands)
{
	return ask_to_do(task, &errands->files, ERRAND_TAKE_UP, STR(""));
}

enum err errands_put_resource(struct task *task, void *context, struct str name, struct str text)
{
	struct errands *errands = context;

	return ask_to_do(task, &errands->files, ERRAND_PUT,
			 STR_JOIN(&task->arena, name, STR("\0"), text));
}

enum err errands_remove_resource(struct task *task, void *context, struct str name)
{
	struct errands *errands = context;

	return ask_to_do(task, &errands->files, ERRAND_REMOVE, name);
}

enum err errands_undo_resource(struct task *task, void *context)
{
	struct errands *errands = context;

	return ask_to_do(task, &errands->files, ERRAND_UNDO, STR(""));
}

enum err errands_stop_command(struct task *task, void *context, const struct stop_names *names)
{
	struct errands *errands = context;

	return ask_to_do(task, &errands->commands, ERRAND_STOP,
			 STR_JOIN(&task->arena, names->resource, STR("\0"), names->username,
				  STR("\0"), names->client));
}

/* --- its life --- */

static int open_and_note(void *context, const char *path, int flags)
{
	struct errands *errands = context;
	struct named_file *named = NEW(&errands->arena, struct named_file);

	*named = (struct named_file){ str_copy(&errands->arena, str_from_c(path)), errands->named };
	errands->named = named;
	return open(path, flags);
}

enum err errands_load(struct task *task, const struct config_source *source,
		      struct errands *errands, const struct config **ret_config)
{
	enum err err;

	file_open_by(&(struct file_opener){ open_and_note, errands });
	err = config_load(task, source, ret_config);
	file_open_by(&(struct file_opener){ 0 });
	return err;
}

static enum err make_sockets(struct task *task, struct errands *errands, int *ret_theirs)
{
	struct errand_line *lines[] = { &errands->files, &errands->commands };

	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
			return failf(task, ERR_INTERNAL, "no socket to the errands process: %s",
				     strerrordesc_np(errno));
		pthread_mutex_init(&lines[i]->lock, NULL);
		lines[i]->socket = ends[0];
		ret_theirs[i] = ends[1];
	}
	return OK;
}

enum err errands_start(struct task *task, const struct config_source *source,
		       const struct config *config, struct errands *errands)
{
	struct errands_order order = {
		.source = source,
		.config = config,
		.named = errands->named,
		.parent = getpid(),
	};
	int theirs[2] = { -1, -1 };
	pid_t pid;

	TRY(make_sockets(task, errands, theirs));
	order.files = theirs[0];
	order.commands = theirs[1];
	pid = fork();
	if (pid == 0)
		errands_process_run(task, &order);
	close(theirs[0]);
	close(theirs[1]);
	if (pid < 0)
		return failf(task, ERR_INTERNAL, "the errands process cannot be started: %s",
			     strerrordesc_np(errno));
	errands->pid = pid;
	file_open_by(&(struct file_opener){ open_by_errand, errands });
	return OK;
}

void errands_stop(struct errands *errands)
{
	arena_free(&errands->arena);
	errands->named = NULL;
	if (errands->pid == 0)
		return;
	file_open_by(&(struct file_opener){ 0 });
	close_line(&errands->files);
	close_line(&errands->commands);
	process_end(&errands->pid, STOP_MS);
}
