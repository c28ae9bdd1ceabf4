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
#include "grantd/errands_wire.h"
#include "grantd/process.h"

/* The file that was last replaced or removed: it may come back as it was, with its command. */
struct replaced {
	struct arena arena;
	struct str name;
	struct str text;
};

struct runner {
	const struct errands_order *order;
	struct clock *clock;
	struct log *log;
	struct replaced replaced; /* of the thread for files */
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

/* Below DIR, or what the configuration named at the start. */
static bool may_open(const struct errands_order *order, struct str path)
{
	const struct config *config = order->config;
	const struct str settings[] = { config->tls_cert, config->tls_key, config->extra_ca_file };

	if (is_plain_below(path, config->dir))
		return true;
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		if (settings[i].len > 0 && str_equals(path, settings[i]))
			return true;
	for (size_t i = 0; i < order->named->count; i++)
		if (str_equals(path, order->named->at[i]))
			return true;
	return false;
}

/* By whatever name: the file itself is compared. */
static bool is_root_key(struct task *task, const struct errands_order *order, int file)
{
	struct stat opened, root;

	if (fstat(file, &opened) != 0)
		return true;
	return stat(str_to_c(&task->arena, order->config->root_key_file), &root) == 0 &&
	       opened.st_dev == root.st_dev && opened.st_ino == root.st_ino;
}

static struct errand_message open_file(struct task *task, const struct errands_order *order,
				       struct str path)
{
	struct errand_message answer = { EACCES, STR(""), -1 };
	int file;

	if (str_has(path, '\0') || !may_open(order, path))
		return answer;
	file = open(str_to_c(&task->arena, path), FILE_READ_FLAGS);
	if (file < 0) {
		answer.number = (uint32_t)errno;
	} else if (is_root_key(task, order, file)) {
		close(file);
	} else {
		answer.number = 0;
		answer.file = file;
	}
	return answer;
}

/* --- files of resources --- */

static struct str path_of(struct task *task, const struct errands_order *order, struct str name)
{
	return STR_JOIN(&task->arena, order->config->dir, STR("/resources/"), name, STR(".json"));
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

static bool has_the_command_of(struct task *task, const struct errands_order *order,
			       const struct resource *wanted, struct str text)
{
	struct resource known;
	bool is_known = text.at != NULL &&
			resource_parse(task, wanted->name, text, order->config->dir,
				       order->source->digest, &known) == OK &&
			have_same_command(wanted, &known);

	task_forgive(task);
	return is_known;
}

/* What is to be run stands in a file that somebody with a hand in DIR has written. */
static enum err check_command(struct task *task, struct runner *runner,
			      const struct resource *wanted, struct str old)
{
	const struct replaced *replaced = &runner->replaced;

	if (!is_command(wanted) || has_the_command_of(task, runner->order, wanted, old))
		return OK;
	if (str_equals(replaced->name, wanted->name) &&
	    has_the_command_of(task, runner->order, wanted, replaced->text))
		return OK;
	return failf(task, ERR_CONFIG,
		     "on_stop: a command is not taken from the admin socket; write the file "
		     "%.*s/resources/%.*s.json yourself, then grantctl reload (an https:// URL is "
		     "taken)",
		     STR_FMT(runner->order->config->dir), STR_FMT(wanted->name));
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

static enum err put(struct task *task, struct runner *runner, struct str text)
{
	const struct errands_order *order = runner->order;
	struct str name = errand_next(&text), old = STR_NONE, path;
	struct resource wanted;

	if (!resource_name_is_valid(name))
		return fail(task, ERR_REQUEST, "not the name of a resource");
	path = path_of(task, order, name);
	TRY(resource_parse(task, name, text, order->config->dir, order->source->digest, &wanted));
	TRY(read_old(task, path, &old));
	TRY(check_command(task, runner, &wanted, old));
	TRY(file_replace(task, path, text, 0600));
	remember(&runner->replaced, name, old);
	return OK;
}

static enum err take_away(struct task *task, struct runner *runner, struct str name)
{
	struct str old = STR_NONE, path;

	if (!resource_name_is_valid(name))
		return fail(task, ERR_REQUEST, "not the name of a resource");
	path = path_of(task, runner->order, name);
	TRY(read_old(task, path, &old));
	TRY(file_remove(task, path));
	remember(&runner->replaced, name, old);
	return OK;
}

/* --- commands --- */

/* Read anew each time: it is the file that counts, and nothing that we are told. */
static enum err stop(struct task *task, struct runner *runner, struct str text)
{
	CLEANUP(config_free) const struct config *config = NULL;
	const struct resource *resource;
	struct stop_names names = { 0 };

	names.resource = errand_next(&text);
	names.username = errand_next(&text);
	names.client = errand_next(&text);
	TRY(config_load(task, runner->order->source, &config));
	resource = config_find_resource_named(config, names.resource);
	if (resource == NULL || !is_command(resource))
		return fail(task, ERR_CONFIG, "its file in DIR/resources names no command");
	return stop_command_run(task, resource, &names);
}

/* --- the process --- */

static struct errand_message do_it(struct task *task, struct runner *runner,
				   const struct errand_message *order)
{
	static enum err (*const acts[ERRAND_COUNT])(struct task *, struct runner *, struct str) = {
		[ERRAND_PUT] = put,
		[ERRAND_REMOVE] = take_away,
		[ERRAND_STOP] = stop,
	};
	enum err err = ERR_SYNTAX;

	if (order->number == ERRAND_OPEN)
		return open_file(task, runner->order, order->text);
	if (order->number < ERRAND_COUNT)
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
		answer = do_it(&task, runner, &order);
		is_well = errand_send(&task, socket, &answer) == OK;
		if (answer.file >= 0)
			close(answer.file);
	}
	task_end(&task);
	return is_well;
}

static void *serve_commands(void *arg)
{
	struct runner *runner = arg;

	while (serve_one(runner, runner->order->commands))
		;
	return NULL;
}

_Noreturn void errands_process_run(struct task *task, const struct errands_order *order)
{
	struct runner runner = { .order = order, .clock = task->clock, .log = task->log };
	int kept[] = { order->files, order->commands };
	pthread_t unused;

	(void)prctl(PR_SET_NAME, "errands");
	process_follow(order->parent);
	(void)process_hide_memory();
	process_close_others(kept, COUNT_OF(kept));
	file_open_by(&(struct file_opener){ 0 });
	if (pthread_create(&unused, NULL, serve_commands, &runner) != 0)
		_exit(EXIT_FAILURE);
	while (serve_one(&runner, order->files))
		;
	/* grantd has closed its end: there is nobody left to do anything for */
	_exit(EXIT_SUCCESS);
}
