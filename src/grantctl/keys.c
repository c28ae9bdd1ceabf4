/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/ctl.h"

#define BODY_MAX 1024

static const struct column columns[] = {
	{ "ID", "id" },
	{ "PURPOSE", "purpose" },
	{ "ALG", "alg" },
	{ "STATE", "state" },
	{ "CREATED", "created_at" },
	{ "SIGNS FROM", "signs_from" },
	{ "RETIRES", "retires_at" },
};

enum err keys_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;

	TRY(call_list(task, words, STR("/v1/keys"), "keys", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err keys_rotate(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *answer = NULL;
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str body;

	json_open_object(&json);
	if (words->is_given[OPTION_PURPOSE])
		json_member_str(&json, "purpose", words->values[OPTION_PURPOSE]);
	json_member_bool(&json, "at_once", words->is_given[OPTION_AT_ONCE]);
	json_member_bool(&json, "compromised", words->is_given[OPTION_COMPROMISED]);
	json_close(&json);
	if (buf_finish(&buf, &body) != OK)
		return fail(task, ERR_REQUEST, "--purpose: no purpose is that long");
	TRY(call(task, words, "POST", STR("/v1/keys/rotate"), body, &answer));
	return print_list(task, words, json_object_get(answer, "keys"), columns, COUNT_OF(columns));
}
