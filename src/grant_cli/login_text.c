/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/login_text.h"

#include "base/json.h"
#include "base/task.h"

#define VERSION 1

static const struct {
	const char *key;
	size_t offset;
	bool is_required;
} texts[] = {
	{ "id", offsetof(struct login, id), true },
	{ "issuer", offsetof(struct login, issuer), true },
	{ "client_id", offsetof(struct login, client_id), true },
	{ "resource", offsetof(struct login, resource), false },
	{ "scope", offsetof(struct login, scope), false },
	{ "ca_file", offsetof(struct login, ca_file), false },
	{ "token_endpoint", offsetof(struct login, token_endpoint), true },
	{ "revocation_endpoint", offsetof(struct login, revocation_endpoint), false },
	{ "access_token", offsetof(struct login, access_token), false },
	{ "refresh_token", offsetof(struct login, refresh_token), false },
	{ "dpop_key", offsetof(struct login, dpop_key), false },
	{ "token_type", offsetof(struct login, token_type), false },
	{ "ended", offsetof(struct login, ended), false },
};

static const struct {
	const char *key;
	size_t offset;
} times[] = {
	{ "created_at", offsetof(struct login, created_at) },
	{ "expires_at", offsetof(struct login, expires_at) },
	{ "last_used_at", offsetof(struct login, last_used_at) },
	{ "access_expires_at", offsetof(struct login, access_expires_at) },
};

static const void *member_of(const struct login *login, size_t offset)
{
	return (const char *)login + offset;
}

enum err login_print(struct task *task, const struct login *login, struct str *ret_text)
{
	struct buf text = buf_in(&task->arena, LOGIN_TEXT_MAX);
	struct json_writer json = json_write_to(&text);

	json_open_object(&json);
	json_member_int(&json, "version", VERSION);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct str *value = member_of(login, texts[i].offset);

		if (value->at != NULL)
			json_member_str(&json, texts[i].key, *value);
	}
	for (size_t i = 0; i < COUNT_OF(times); i++)
		json_member_int(&json, times[i].key,
				*(const int64_t *)member_of(login, times[i].offset));
	json_close(&json);
	buf_add_char(&text, '\n');
	return buf_finish(&text, ret_text);
}

enum err login_parse(struct task *task, struct str text, struct login *ret_login)
{
	CLEANUP(json_unref) json_t *object = NULL;
	struct login login = { 0 };

	TRY(json_parse(task, text, LOGIN_TEXT_MAX, &object));
	if (json_integer_value(json_object_get(object, "version")) != VERSION)
		return fail(task, ERR_SYNTAX, "it is of another version of grant");
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct str value = json_get_str(object, texts[i].key);
		struct str *member = (struct str *)(void *)((char *)&login + texts[i].offset);

		if (value.at == NULL && texts[i].is_required)
			return failf(task, ERR_SYNTAX, "it has no \"%s\"", texts[i].key);
		*member = value.at == NULL ? STR_NONE : str_copy(&task->arena, value);
	}
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		const json_t *value = json_object_get(object, times[i].key);

		if (!json_is_integer(value))
			return failf(task, ERR_SYNTAX, "it has no \"%s\"", times[i].key);
		*(int64_t *)(void *)((char *)&login + times[i].offset) = json_integer_value(value);
	}
	*ret_login = login;
	return OK;
}
