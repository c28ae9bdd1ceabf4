/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/ctl.h"

#define BODY_MAX (64 * 1024)

static const struct column columns[] = {
	{ "NAME", "username" },
	{ "STATUS", "status" },
	{ "CREATED", "created_at" },
	{ "ID", "id" },
};

enum err user_create(struct task *task, const struct words *words)
{
	CLEANUP(secret_wipe) struct secret password = { 0 };
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str body;

	TRY(ask_password(task, words, &password));
	json_open_object(&json);
	json_member_str(&json, "username", words->argument);
	if (words->is_given[OPTION_EMAIL])
		json_member_str(&json, "email", words->values[OPTION_EMAIL]);
	if (password.len > 0)
		json_member_str(&json, "password", secret_reveal(&password));
	json_close(&json);
	TRY(buf_finish(&buf, &body));
	return call_and_print(task, words, "POST", STR("/v1/users"), body);
}

enum err user_password(struct task *task, const struct words *words)
{
	CLEANUP(secret_wipe) struct secret password = { 0 };
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str body;

	TRY(ask_password(task, words, &password));
	if (password.len == 0)
		return fail(task, ERR_REQUEST, "give the password on stdin: --password-stdin");
	json_open_object(&json);
	json_member_str(&json, "password", secret_reveal(&password));
	json_close(&json);
	TRY(buf_finish(&buf, &body));
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/users", words->argument, "password"), body);
}

enum err user_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;

	TRY(call_list(task, words, STR("/v1/users"), "users", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err user_show(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "GET", path_of(task, "/v1/users", words->argument, NULL),
			      STR_NONE);
}

enum err user_disable(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/users", words->argument, "disable"), STR_NONE);
}

enum err user_enable(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/users", words->argument, "enable"), STR_NONE);
}
