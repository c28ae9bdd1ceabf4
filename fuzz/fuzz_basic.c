/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Basic credentials: what is accepted has an id, is text on both sides, and is refused with two
 * words only.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/task.h"
#include "oauth/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line as the header, the rest as the body: one method at most, and one client. */
static void read_both(struct task *task, struct str header, struct str body)
{
	static struct request request;
	struct client_credentials credentials = { 0 };
	struct form form;
	enum err err;

	request.field_count = header.len > 0 ? 1 : 0;
	request.fields[0] = (struct http_field){ STR("Authorization"), header };
	if (form_parse(task, body, &form) != OK)
		return;
	err = credentials_read(task, &request, &form, &credentials);
	if (err != OK && err != ERR_REQUEST && err != ERR_CLIENT)
		abort();
	if (err == OK && credentials.method != CREDENTIAL_NONE && credentials.secret.at == NULL)
		abort();
	if (err == OK && header.len > 0 && credentials.method != CREDENTIAL_BASIC &&
	    credentials.method != CREDENTIAL_NONE)
		abort();
	if (err == OK &&
	    (credentials.method == CREDENTIAL_BASIC) == str_is_empty(credentials.raw_secret))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str value = { (const char *)data, size };
	struct basic basic = { .user = STR("untouched"), .password = STR("untouched") };
	struct clock clock = { 0 };
	struct task task;
	enum err err;

	if (size > HTTP_HEAD_MAX)
		return 0;
	task_begin(&task, &clock, NULL);
	err = basic_parse(&task, value, &basic);
	if (err == OK &&
	    (basic.user.len == 0 || !str_is_text(basic.user) || !str_is_text(basic.password)))
		abort();
	if (err != OK && err != ERR_REQUEST && err != ERR_CLIENT)
		abort();
	if (err != OK && (!str_equals(basic.user, STR("untouched")) ||
			  !str_equals(basic.password, STR("untouched")) || task.reason.len == 0))
		abort();
	task_forgive(&task);
	read_both(&task, str_sub(value, 0, str_find(value, '\n')),
		  str_from(value, str_find(value, '\n') + 1));
	task_end(&task);
	return 0;
}
