/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url.h"
#include "grantctl/ctl.h"

#define QUERY_MAX 2048

static const struct column columns[] = {
	{ "ID", "id" },
	{ "STATUS", "status" },
	{ "USER", "user" },
	{ "AGENT", "client_id" },
	{ "SCOPE", "scope" },
	{ "EXPIRES", "expires_at" },
	{ "LAST USED", "last_used_at" },
};

static enum err one(struct task *task, const struct words *words, const char *method,
		    const char *verb)
{
	return call_and_print(task, words, method,
			      path_of(task, "/v1/grants", words->argument, verb), STR_NONE);
}

enum err grant_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;
	struct buf path = buf_in(&task->arena, QUERY_MAX);
	struct str text;

	buf_add_c(&path, "/v1/grants");
	if (words->is_given[OPTION_USER]) {
		buf_add_c(&path, "?user=");
		url_encode(&path, words->values[OPTION_USER]);
	}
	TRY(buf_finish(&path, &text));
	TRY(call_list(task, words, text, "grants", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err grant_show(struct task *task, const struct words *words)
{
	return one(task, words, "GET", NULL);
}

enum err grant_pause(struct task *task, const struct words *words)
{
	return one(task, words, "POST", "pause");
}

enum err grant_resume(struct task *task, const struct words *words)
{
	return one(task, words, "POST", "resume");
}

enum err grant_revoke(struct task *task, const struct words *words)
{
	return one(task, words, "POST", "revoke");
}
