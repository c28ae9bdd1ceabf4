/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One or two Cookie fields (cut at the first line feed): a value is never more than its field says.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"
#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* What we set is read back as it was. */
static void set_and_get(struct str value)
{
	static struct exchange exchange;
	static struct request request;
	struct clock clock = { 0 };
	struct str set;

	if (value.len > 512 || str_has(value, ';') || str_has(value, ','))
		return;
	for (size_t i = 0; i < value.len; i++)
		if (value.at[i] <= ' ' || value.at[i] > '~')
			return;
	memset(&exchange, 0, sizeof(exchange));
	task_begin(&exchange.task, &clock, NULL);
	cookie_set(&exchange, STR("__Host-session"), value, (int64_t)value.len - 1);
	check(exchange.reply.field_count == 1);
	set = exchange.reply.fields[0].value;
	request.field_count = 1;
	request.fields[0] = (struct http_field){ STR("Cookie"),
						 str_sub(set, 0, str_find(set, ';')) };
	check(str_equals(cookie_get(&request, STR("__Host-session")), value));
	task_end(&exchange.task);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request;
	struct str line, rest = { (const char *)data, size };
	struct str value;

	request.field_count = 0;
	while (request.field_count < 2 && str_next(&rest, '\n', &line))
		request.fields[request.field_count++] = (struct http_field){ STR("Cookie"), line };
	value = cookie_get(&request, STR("__Host-session"));
	if (value.at != NULL) {
		check(!str_has(value, ';') && !str_has(value, '\n'));
		check(value.at >= (const char *)data + 15);
		check(value.at + value.len <= (const char *)data + size);
	}
	check(cookie_get(&request, STR("no such name")).at == NULL ||
	      str_has((struct str){ (const char *)data, size }, ' '));
	set_and_get(value.at == NULL ? STR("") : value);
	return 0;
}
