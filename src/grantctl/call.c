/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/url.h"
#include "grantctl/ctl.h"
#include "http/client.h"

#define ANSWER_MAX	 (8 * 1024 * 1024)
#define TIMEOUT_MS	 30000
#define REQUEST_PATH_MAX 4096

struct str path_of(struct task *task, const char *base, struct str argument, const char *verb)
{
	struct buf path = buf_in(&task->arena, REQUEST_PATH_MAX);
	struct str text = STR("/");

	buf_add_c(&path, base);
	buf_add_c(&path, "/");
	url_encode(&path, argument);
	if (verb != NULL) {
		buf_add_c(&path, "/");
		buf_add_c(&path, verb);
	}
	/* a name too long for a path is one that nobody has */
	return buf_finish(&path, &text) == OK ? text : str_from_c(base);
}

static enum err refuse(struct task *task, const struct http_answer *answer, const json_t *json)
{
	struct str message = json_get_str(json, "message");

	if (message.at == NULL)
		return failf(task, ERR_CONFLICT, "the daemon answered %u", answer->status);
	return failf(task, ERR_CONFLICT, "%.*s", STR_FMT(message));
}

enum err call(struct task *task, const struct words *words, const char *method, struct str path,
	      struct str body, json_t **ret_answer)
{
	static const struct str fields[] = { STR_INIT("Content-Type: application/json") };
	CLEANUP(json_unref) json_t *json = NULL;
	struct http_call http = {
		.method = str_from_c(method),
		.url = STR_JOIN(&task->arena, STR("http://localhost"), path),
		.fields = fields,
		.field_count = body.at == NULL ? 0 : COUNT_OF(fields),
		.body = body,
		.unix_socket = words->socket,
		.allow_loopback_http = true,
		.answer_max = ANSWER_MAX,
		.timeout_ms = TIMEOUT_MS,
	};
	struct http_answer answer = { 0 };

	if (http_client_call(task, &http, &answer) != OK)
		return failf(task, ERR_IO,
			     "the daemon does not answer at %.*s (%.*s); is grantd serving?",
			     STR_FMT(words->socket), STR_FMT(task->reason));
	if (answer.body.len > 0 && json_parse(task, answer.body, ANSWER_MAX, &json) != OK)
		return failf(task, ERR_CONFLICT, "the daemon answered %u, and no JSON",
			     answer.status);
	if (answer.status < 200 || answer.status > 299)
		return refuse(task, &answer, json);
	*ret_answer = json;
	json = NULL;
	return OK;
}

enum err call_and_print(struct task *task, const struct words *words, const char *method,
			struct str path, struct str body)
{
	CLEANUP(json_unref) json_t *answer = NULL;

	TRY(call(task, words, method, path, body, &answer));
	return print_object(task, words, answer);
}

static struct str with_after(struct task *task, struct str path, struct str cursor)
{
	struct buf buf = buf_in(&task->arena, REQUEST_PATH_MAX);
	struct str text = path;

	if (cursor.at == NULL)
		return path;
	buf_add(&buf, path);
	buf_add_c(&buf, str_has(path, '?') ? "&after=" : "?after=");
	url_encode(&buf, cursor);
	return buf_finish(&buf, &text) == OK ? text : path;
}

enum err call_list(struct task *task, const struct words *words, struct str path,
		   const char *member, json_t **ret_items)
{
	CLEANUP(json_unref) json_t *items = json_array();
	struct str cursor = STR_NONE;

	do {
		CLEANUP(json_unref) json_t *page = NULL;

		TRY(call(task, words, "GET", with_after(task, path, cursor), STR_NONE, &page));
		json_array_extend(items, json_object_get(page, member));
		cursor = json_get_str(page, "next");
		if (cursor.at != NULL)
			cursor = str_copy(&task->arena, cursor);
	} while (cursor.at != NULL);
	*ret_items = items;
	items = NULL;
	return OK;
}
