/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One or two Cookie fields (cut at the first line feed): a value is never more than its field says.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "http/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
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
	return 0;
}
