/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/ctl.h"

static const struct column columns[] = {
	{ "NUMBER", "number" },
	{ "STATE", "state" },
	{ "PEOPLE", "people" },
	{ "SIGNING KEYS", "signing_keys" },
	{ "INSTALLATIONS", "installations" },
	{ "UNTIL", "installations_until" },
	{ "PEOPLE LEFT", "people_left" },
};

enum err root_key_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;

	TRY(call_list(task, words, STR("/v1/root-keys"), "root_keys", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err root_key_rewrap(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *answer = NULL;

	TRY(call(task, words, "POST", STR("/v1/root-keys/rewrap"), STR_NONE, &answer));
	return print_list(task, words, json_object_get(answer, "root_keys"), columns,
			  COUNT_OF(columns));
}
