/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's copy of a client metadata document: from a file, or read now, from here. */
#include "config/file.h"
#include "grantctl/ctl.h"
#include "http/client.h"

#define DOCUMENT_MAX (5 * 1024)
#define BODY_MAX     (64 * 1024)
#define FETCH_MS     10000

/* What the operator names is theirs to read: no address is refused here, but https it is. */
static enum err fetch(struct task *task, struct str url, struct str *ret_text)
{
	static const struct str fields[] = { STR_INIT("Accept: application/json") };
	const struct http_call call = {
		.method = STR("GET"),
		.url = url,
		.fields = fields,
		.field_count = COUNT_OF(fields),
		.answer_max = DOCUMENT_MAX,
		.timeout_ms = FETCH_MS,
	};
	struct http_answer answer = { 0 };

	if (http_client_call(task, &call, &answer) != OK)
		return failf(task, ERR_CONFIG, "%.*s; --file FILE takes a copy of yours",
			     STR_FMT(task->reason));
	if (answer.status != 200)
		return failf(task, ERR_CONFIG, "it answered %u and not 200", answer.status);
	*ret_text = answer.body;
	return OK;
}

enum err client_pin(struct task *task, const struct words *words)
{
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text = STR_NONE, body;

	if (!words->is_given[OPTION_FILE])
		TRY(fetch(task, words->argument, &text));
	else if (file_read(task, words->values[OPTION_FILE], DOCUMENT_MAX, &text) != OK)
		return failf(task, ERR_CONFIG, "%.*s", STR_FMT(task->reason));
	if (!str_is_text(text))
		return fail(task, ERR_CONFIG, "the document is not UTF-8 text");
	json_open_object(&json);
	json_member_str(&json, "document", text);
	json_close(&json);
	TRY(buf_finish(&buf, &body));
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/clients", words->argument, "pin"), body);
}

enum err client_unpin(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/clients", words->argument, "unpin"), STR_NONE);
}
