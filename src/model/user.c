/* SPDX-License-Identifier: Apache-2.0 */
#include "model/user.h"

#include "base/task.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789._+-@"

struct str user_status_name(enum user_status status)
{
	return status == USER_ACTIVE ? STR("active") : STR("disabled");
}

enum err username_normalise(struct task *task, struct str typed, struct str *ret_username)
{
	struct str trimmed = str_trim(typed);
	char *at;

	if (trimmed.len == 0 || trimmed.len > USERNAME_MAX)
		return fail(task, ERR_REQUEST, "a user name has 1 to 64 characters");
	at = arena_alloc(&task->arena, trimmed.len + 1);
	for (size_t i = 0; i < trimmed.len; i++) {
		char c = trimmed.at[i];

		at[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	if (!str_only((struct str){ at, trimmed.len }, NAME_CHARACTERS))
		return fail(task, ERR_REQUEST,
			    "a user name is made of a-z, 0-9 and the characters . _ + - @");
	if (at[0] == '-')
		return fail(task, ERR_REQUEST, "a user name must not start with -");
	*ret_username = (struct str){ at, trimmed.len };
	return OK;
}

enum err email_check(struct task *task, struct str email)
{
	size_t at = str_find(email, '@');
	struct str domain = str_from(email, at + 1);

	if (email.len > EMAIL_MAX || at == 0 || at == email.len || str_has(domain, '@') ||
	    !str_has(domain, '.') || str_starts_with(domain, STR(".")) ||
	    str_ends_with(domain, STR(".")) || !str_is_text(email))
		return fail(task, ERR_REQUEST, "this is not an e-mail address");
	for (size_t i = 0; i < email.len; i++)
		if ((unsigned char)email.at[i] <= ' ' || email.at[i] == 0x7F)
			return fail(task, ERR_REQUEST, "this is not an e-mail address");
	return OK;
}
