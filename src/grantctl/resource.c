/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "config/file.h"
#include "grantctl/ctl.h"

#define FILE_MAX (64 * 1024) /* what the admin API takes */

static const struct column columns[] = {
	{ "NAME", "name" },
	{ "URI", "uri" },
	{ "TITLE", "title" },
	{ "SCOPES", "scopes" },
};

/* Written first by who may, so that a command in it is his word and not the socket's. */
static enum err put(struct task *task, const struct words *words, struct str name, struct str text,
		    json_t **ret_answer)
{
	CLEANUP(placing_end) struct placing placing = { .folder = -1 };
	enum err err = placing_begin(task, words->dir, name, text, &placing);

	if (err == OK)
		err = call(task, words, "PUT", path_of(task, "/v1/resources", name, NULL), text,
			   ret_answer);
	if (err != OK)
		placing_undo(&placing);
	return err;
}

enum err resource_add(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *file = NULL, *answer = NULL;
	struct str text, name;

	if (file_read(task, words->argument, FILE_MAX, &text) != OK)
		return failf(task, ERR_CONFIG, "%.*s", STR_FMT(task->reason));
	if (json_parse(task, text, FILE_MAX, &file) != OK)
		return failf(task, ERR_CONFIG, "%.*s: not JSON: %.*s", STR_FMT(words->argument),
			     STR_FMT(task->reason));
	name = json_get_str(file, "name");
	if (name.len == 0)
		return failf(task, ERR_CONFIG, "%.*s: has no \"name\"", STR_FMT(words->argument));
	TRY(put(task, words, name, text, &answer));
	return print_object(task, words, answer);
}

enum err resource_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;

	TRY(call_list(task, words, STR("/v1/resources"), "resources", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err resource_show(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "GET",
			      path_of(task, "/v1/resources", words->argument, NULL), STR_NONE);
}

enum err resource_remove(struct task *task, const struct words *words)
{
	struct str path = path_of(task, "/v1/resources", words->argument, NULL);

	if (words->is_given[OPTION_FORCE])
		path = STR_JOIN(&task->arena, path, STR("?force=1"));
	return call_and_print(task, words, "DELETE", path, STR_NONE);
}
