/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "grantctl/ctl.h"

#define BODY_MAX 8192
#define PATH_LEN 4096

/* The daemon writes the file, and it stands in another folder than we do. */
static enum err whole_path(struct task *task, struct str file, struct str *ret_path)
{
	char here[PATH_LEN];

	if (str_starts_with(file, STR("/"))) {
		*ret_path = file;
		return OK;
	}
	if (getcwd(here, sizeof(here)) == NULL)
		return failf(task, ERR_REQUEST, "this folder has no path: %s", strerror(errno));
	*ret_path = STR_JOIN(&task->arena, str_from_c(here), STR("/"), file);
	return OK;
}

static void wait_a_little(void)
{
	const struct timespec time = { .tv_nsec = 100 * 1000 * 1000 };

	nanosleep(&time, NULL);
}

static enum err wait_for_end(struct task *task, const struct words *words)
{
	for (;;) {
		CLEANUP(json_unref) json_t *answer = NULL;
		struct str state;

		TRY(call(task, words, "GET", STR("/v1/backup"), STR_NONE, &answer));
		state = json_get_str(answer, "state");
		if (str_equals(state, STR("done")))
			return OK;
		if (!str_equals(state, STR("running")))
			return failf(task, ERR_CONFLICT, "%.*s",
				     STR_FMT(json_get_str(answer, "message")));
		wait_a_little();
	}
}

enum err backup_make(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *answer = NULL;
	CLEANUP(json_unref) json_t *made = json_object();
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str path, body, keys;

	TRY(whole_path(task, words->argument, &path));
	json_open_object(&json);
	json_member_str(&json, "file", path);
	json_close(&json);
	if (buf_finish(&buf, &body) != OK)
		return fail(task, ERR_REQUEST, "FILE is too long a path");
	TRY(call(task, words, "POST", STR("/v1/backup"), body, &answer));
	TRY(wait_for_end(task, words));
	keys = STR_JOIN(&task->arena, path, STR(".keys"));
	json_object_set_new(made, "file", json_stringn(path.at, path.len));
	json_object_set_new(made, "keys_file", json_stringn(keys.at, keys.len));
	return print_object(task, words, made);
}
