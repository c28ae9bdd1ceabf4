/* SPDX-License-Identifier: Apache-2.0 */
#include "grantctl/ctl.h"

#define BODY_MAX    1024
#define SECONDS_MAX (366LL * 86400)
#define USES_MAX    100000
#define TOKENS_PATH "/v1/register-tokens"

static const struct column columns[] = {
	{ "ID", "id" },
	{ "FOR", "name" },
	{ "STATUS", "status" },
	{ "USED", "used" },
	{ "OF", "uses" },
	{ "CREATED", "created_at" },
	{ "UNTIL", "expires_at" },
};

/* "15m", "12h", "7d"; of a bare number it would be a guess what it means. */
static bool read_duration(struct str text, uint64_t *ret_seconds)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	uint64_t number;

	for (size_t i = 0; text.len > 1 && i < COUNT_OF(units); i++) {
		if (text.at[text.len - 1] != units[i].letter)
			continue;
		if (!str_to_u64(str_sub(text, 0, text.len - 1), SECONDS_MAX / units[i].seconds,
				&number))
			return false;
		*ret_seconds = number * units[i].seconds;
		return true;
	}
	return false;
}

static enum err add_limits(struct task *task, const struct words *words, struct json_writer *json)
{
	uint64_t number;

	if (words->is_given[OPTION_USES]) {
		if (!str_to_u64(words->values[OPTION_USES], USES_MAX, &number) || number == 0)
			return fail(task, ERR_REQUEST, "--uses is a number from 1 to 100000");
		json_member_int(json, "uses", (int64_t)number);
	}
	if (words->is_given[OPTION_EXPIRES]) {
		if (!read_duration(words->values[OPTION_EXPIRES], &number))
			return fail(task, ERR_REQUEST,
				    "--expires is a time such as 15m, 12h or 7d, at most 366d");
		json_member_int(json, "expires_in", (int64_t)number);
	}
	return OK;
}

enum err register_token_make(struct task *task, const struct words *words)
{
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str body;

	json_open_object(&json);
	if (words->is_given[OPTION_FOR])
		json_member_str(&json, "name", words->values[OPTION_FOR]);
	TRY(add_limits(task, words, &json));
	json_close(&json);
	TRY(buf_finish(&buf, &body));
	return call_and_print(task, words, "POST", STR(TOKENS_PATH), body);
}

enum err register_token_show_all(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;

	TRY(call_list(task, words, STR(TOKENS_PATH), "register_tokens", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err register_token_take_back(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST",
			      path_of(task, TOKENS_PATH, words->argument, "revoke"), STR_NONE);
}
