/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/errands_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "config/file.h"
#include "config/path.h"
#include "grantd/errands_wire.h"
#include "grantd/process.h"
#include "model/client.h"
#include "model/document.h"
#include "model/user.h"

#define NAMED_MAX 1024

/* Files that the configuration has named, of all that was read since the start. */
struct named_files {
	struct arena arena;
	struct str at[NAMED_MAX];
	size_t count;
};

/* The file that was last put or removed: it may come back as it was, whatever stands in it. */
struct replaced {
	struct arena arena;
	struct str name; /* STR_NONE: none */
	struct str text; /* STR_NONE: there was none */
};

struct runner {
	const struct errands_order *order;
	struct clock *clock;
	struct log *log;
	struct config_live *config;	/* what is in force; the thread for commands reads it too */
	const struct config *looked_at; /* NULL: nothing is to be taken up */
	struct named_files named;
	struct replaced replaced;
};

/* --- opening --- */

static bool is_plain_below(struct str path, struct str dir)
{
	struct str rest = str_from(path, dir.len), part;

	if (!str_starts_with(path, dir) || !str_starts_with(rest, STR("/")))
		return false;
	while (str_next(&rest, '/', &part))
		if (str_equals(part, STR("..")))
			return false;
	return true;
}

static bool is_named(const struct named_files *named, struct str path)
{
	for (size_t i = 0; i < named->count; i++)
		if (str_equals(path, named->at[i]))
			return true;
	return false;
}

/* Below DIR, or what the configuration names. */
static bool may_open(const struct runner *runner, struct str path)
{
	const struct config *config = runner->order->config;
	const struct str settings[] = { config->tls_cert, config->tls_key,
					config_current(runner->config)->extra_ca_file };

	if (is_plain_below(path, config->dir))
		return true;
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		if (settings[i].len > 0 && str_equals(path, settings[i]))
			return true;
	return is_named(&runner->named, path);
}

/* A file that was taken away is none; of one that cannot be looked at nobody knows. */
static bool is_file(const struct stat *opened, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno != ENOENT;
	return opened->st_dev == status.st_dev && opened->st_ino == status.st_ino;
}

/*
 * By whatever name: the file itself is compared. A change of root keys that was killed has left
 * them beside it as well.
 */
static bool is_root_key(const struct runner *runner, int file)
{
	struct task scratch = { 0 };
	struct str path = path_real(&scratch, runner->order->config->root_key_file);
	struct stat opened;
	bool is_it = true;

	if (path.at != NULL && fstat(file, &opened) == 0)
		is_it = is_file(&opened, path.at) ||
			is_file(&opened, STR_JOIN(&scratch.arena, path, STR(".new")).at);
	task_end(&scratch);
	return is_it;
}

/* As open(2) answers; what is none of the other process's affair is EACCES. */
static int open_allowed(void *context, const char *path, int flags)
{
	const struct runner *runner = context;
	int file = -1;

	errno = EACCES;
	if (may_open(runner, str_from_c(path)))
		file = open(path, flags);
	if (file >= 0 && is_root_key(runner, file)) {
		close(file);
		file = -1;
		errno = EACCES;
	}
	return file;
}

static void note(struct runner *runner, struct str name)
{
	struct named_files *named = &runner->named;

	if (named->count < NAMED_MAX && !may_open(runner, name))
		named->at[named->count++] = str_copy(&named->arena, name);
}

/* For what somebody wrote who may write in DIR: what he names may be opened from then on. */
static int note_and_open(void *context, const char *path, int flags)
{
	note(context, str_from_c(path));
	return open_allowed(context, path, flags);
}

static void open_by(int (*open_by_rule)(void *, const char *, int), struct runner *runner)
{
	file_open_by(&(struct file_opener){ open_by_rule, runner });
}

static struct errand_message open_file(struct task *task, struct runner *runner, struct str path)
{
	struct errand_message answer = { EACCES, STR(""), -1 };

	if (str_has(path, '\0'))
		return answer;
	answer.file = open_allowed(runner, str_to_c(&task->arena, path), FILE_READ_FLAGS);
	answer.number = answer.file >= 0 ? 0 : (uint32_t)errno;
	return answer;
}

/* --- the configuration --- */

static enum err look(struct task *task, struct runner *runner, struct str text)
{
	const struct config *config = NULL;
	enum err err;

	(void)text;
	config_free(&runner->looked_at);
	open_by(note_and_open, runner);
	err = config_load(task, runner->order->source, &config);
	open_by(open_allowed, runner);
	TRY(err);
	runner->looked_at = config;
	return OK;
}

static enum err take_up(struct task *task, struct runner *runner, struct str text)
{
	(void)text;
	if (runner->looked_at == NULL)
		return fail(task, ERR_REQUEST, "nothing was looked at");
	config_live_swap(runner->config, runner->looked_at);
	runner->looked_at = NULL;
	return OK;
}

/* --- files of resources --- */

static struct str path_of(struct task *task, const struct runner *runner, struct str name)
{
	return STR_JOIN(&task->arena, runner->order->config->dir, STR("/resources/"), name,
			STR(".json"));
}

static bool is_command(const struct resource *resource)
{
	return resource->on_stop_count > 0 &&
	       !str_starts_with(resource->on_stop[0], STR("https://"));
}

static bool have_same_command(const struct resource *a, const struct resource *b)
{
	if (a->on_stop_count != b->on_stop_count)
		return false;
	for (size_t i = 0; i < a->on_stop_count; i++)
		if (!str_equals(a->on_stop[i], b->on_stop[i]))
			return false;
	return true;
}

/* What is to be run stands in a file that somebody with a hand in DIR has written. */
static enum err check_command(struct task *task, const struct runner *runner,
			      const struct resource *wanted)
{
	const struct resource *known = config_find_resource_named(config_current(runner->config),
								  wanted->name);

	if (!is_command(wanted) || (known != NULL && have_same_command(wanted, known)))
		return OK;
	return failf(task, ERR_CONFIG,
		     "on_stop: a command is taken only from who can write %.*s/resources: put the "
		     "file there yourself, then grantctl reload, or run this as root with --dir "
		     "(an https:// URL is taken)",
		     STR_FMT(runner->order->config->dir));
}

static enum err read_old(struct task *task, struct str path, struct str *ret_old)
{
	enum err err = file_read(task, path, RESOURCE_FILE_MAX, ret_old);

	if (err != ERR_NOT_FOUND)
		return err;
	task_forgive(task);
	*ret_old = STR_NONE;
	return OK;
}

static void remember(struct replaced *replaced, struct str name, struct str text)
{
	arena_free(&replaced->arena);
	replaced->name = str_copy(&replaced->arena, name);
	replaced->text = text.at == NULL ? STR_NONE : str_copy(&replaced->arena, text);
}

static void forget(struct replaced *replaced)
{
	arena_free(&replaced->arena);
	replaced->name = replaced->text = STR_NONE;
}

/* A text that stands in the file already was written by somebody who may: then it is only read. */
static enum err check_text(struct task *task, struct runner *runner, struct str name,
			   struct str text, bool is_there)
{
	const struct errands_order *order = runner->order;
	struct resource wanted;
	enum err err;

	open_by(is_there ? note_and_open : open_allowed, runner);
	err = resource_parse(task, name, text, order->config->dir, order->source->digest, &wanted);
	open_by(open_allowed, runner);
	TRY(err);
	return is_there ? OK : check_command(task, runner, &wanted);
}

static enum err put(struct task *task, struct runner *runner, struct str text)
{
	struct str name = errand_next(&text), old = STR_NONE, path;
	bool is_there;

	if (!resource_name_is_valid(name))
		return fail(task, ERR_REQUEST, "not the name of a resource");
	path = path_of(task, runner, name);
	TRY(read_old(task, path, &old));
	is_there = old.at != NULL && str_equals(old, text);
	TRY(check_text(task, runner, name, text, is_there));
	forget(&runner->replaced);
	if (is_there)
		return OK;
	TRY(file_replace(task, path, text, 0600));
	remember(&runner->replaced, name, old);
	return OK;
}

static enum err take_away(struct task *task, struct runner *runner, struct str name)
{
	struct str old = STR_NONE, path;

	if (!resource_name_is_valid(name))
		return fail(task, ERR_REQUEST, "not the name of a resource");
	path = path_of(task, runner, name);
	TRY(read_old(task, path, &old));
	TRY(file_remove(task, path));
	remember(&runner->replaced, name, old);
	return OK;
}

static enum err undo(struct task *task, struct runner *runner, struct str text)
{
	struct replaced *replaced = &runner->replaced;
	struct str path = path_of(task, runner, replaced->name);
	enum err err = OK;

	(void)text;
	if (replaced->name.at == NULL)
		return OK;
	err = replaced->text.at == NULL ? file_remove(task, path)
					: file_replace(task, path, replaced->text, 0600);
	forget(replaced);
	return err;
}

/* --- commands --- */

static bool is_client_id(struct task *task, struct str id)
{
	bool is_url = document_is_meant(id) && document_check_url(task, id, true) == OK;

	task_forgive(task);
	return is_url || client_id_is_valid(id);
}

/* Names as the database may hold them, and nobody else's idea of what a command line can take. */
static enum err check_names(struct task *task, const struct stop_names *names)
{
	struct str username = STR_NONE;

	if (username_normalise(task, names->username, &username) != OK ||
	    !str_equals(username, names->username) || !is_client_id(task, names->client))
		return fail(task, ERR_REQUEST, "not the names of a person and an agent");
	return OK;
}

/* As it was read here when it was taken up: nothing that we are told now, and no later edit. */
static enum err stop(struct task *task, struct runner *runner, struct str text)
{
	const struct resource *resource;
	struct stop_names names = { 0 };

	names.resource = errand_next(&text);
	names.username = errand_next(&text);
	names.client = errand_next(&text);
	TRY(check_names(task, &names));
	resource = config_find_resource_named(config_current(runner->config), names.resource);
	if (resource == NULL || !is_command(resource))
		return fail(task, ERR_CONFIG, "its file in DIR/resources names no command");
	return stop_command_run(task, resource, &names);
}

/* --- the process --- */

/* Each thread has errands of its own, and what it alone touches. */
static struct errand_message do_it(struct task *task, struct runner *runner,
				   const struct errand_message *order, bool is_for_commands)
{
	static enum err (*const acts[ERRAND_COUNT])(struct task *, struct runner *, struct str) = {
		[ERRAND_LOOK] = look,	     [ERRAND_TAKE_UP] = take_up, [ERRAND_PUT] = put,
		[ERRAND_REMOVE] = take_away, [ERRAND_UNDO] = undo,	 [ERRAND_STOP] = stop,
	};
	enum err err = ERR_SYNTAX;

	if (order->number == ERRAND_OPEN && !is_for_commands)
		return open_file(task, runner, order->text);
	if (order->number < ERRAND_COUNT && acts[order->number] != NULL &&
	    (order->number == ERRAND_STOP) == is_for_commands)
		err = acts[order->number](task, runner, order->text);
	return (struct errand_message){ err, err == OK ? STR("") : task->reason, -1 };
}

static bool serve_one(struct runner *runner, int socket)
{
	struct errand_message order, answer;
	struct task task;
	bool is_well;

	task_begin(&task, runner->clock, runner->log);
	is_well = errand_receive(&task, socket, &order) == OK;
	if (is_well) {
		if (order.file >= 0)
			close(order.file);
		/* the wait was not part of it */
		task.now = clock_wall(task.clock);
		answer = do_it(&task, runner, &order, socket == runner->order->commands);
		is_well = errand_send(&task, socket, &answer) == OK;
		if (answer.file >= 0)
			close(answer.file);
	}
	task_end(&task);
	return is_well;
}

/* Who asks for commands and hears no answer must not wait for ever: both ends end together. */
static void *serve_commands(void *arg)
{
	struct runner *runner = arg;

	while (serve_one(runner, runner->order->commands))
		;
	_exit(EXIT_SUCCESS);
}

/* In force is what the other process has read, down to the files that were named in it. */
static void begin(struct runner *runner)
{
	runner->config = config_live_new(runner->order->config);
	for (const struct named_file *named = runner->order->named; named != NULL;
	     named = named->next)
		note(runner, named->path);
	open_by(open_allowed, runner);
}

_Noreturn void errands_process_run(struct task *task, const struct errands_order *order)
{
	struct runner *runner = NEW(&task->arena, struct runner);
	int kept[] = { order->files, order->commands };
	pthread_t unused;

	*runner = (struct runner){ .order = order, .clock = task->clock, .log = task->log };
	(void)prctl(PR_SET_NAME, "errands");
	process_follow(order->parent);
	process_close_others(kept, COUNT_OF(kept));
	if (!process_hide_memory())
		_exit(EXIT_FAILURE);
	begin(runner);
	if (pthread_create(&unused, NULL, serve_commands, runner) != 0)
		_exit(EXIT_FAILURE);
	while (serve_one(runner, order->files))
		;
	/* grantd has closed its end: there is nobody left to do anything for */
	_exit(EXIT_SUCCESS);
}
