/* SPDX-License-Identifier: Apache-2.0 */
#include "http/cookie.h"

#include <assert.h>

#include "base/buf.h"

#define COOKIE_MAX 4096

static struct str find_in(struct str line, struct str name)
{
	struct str pair, rest = line;

	while (str_next(&rest, ';', &pair)) {
		size_t equals;

		pair = str_trim(pair);
		equals = str_find(pair, '=');
		if (equals < pair.len && str_equals(str_sub(pair, 0, equals), name))
			return str_from(pair, equals + 1);
	}
	return STR_NONE;
}

struct str cookie_get(const struct request *request, struct str name)
{
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];
		struct str value;

		if (!str_equals_nocase(field->name, STR("Cookie")))
			continue;
		value = find_in(field->value, name);
		if (value.at != NULL)
			return value;
	}
	return STR_NONE;
}

void cookie_set(struct exchange *exchange, struct str name, struct str value, int64_t max_age)
{
	struct buf buf = buf_in(&exchange->task.arena, COOKIE_MAX);
	struct str line = STR_NONE;
	enum err err;

	assert(str_starts_with(name, STR("__Host-")));
	assert(!str_has(value, ';') && !str_has(value, ' ') && !str_has(value, ','));
	buf_add(&buf, name);
	buf_add_char(&buf, '=');
	buf_add(&buf, value);
	buf_add_c(&buf, "; Path=/; Secure; HttpOnly; SameSite=Lax");
	if (max_age >= 0) {
		buf_add_c(&buf, "; Max-Age=");
		buf_add_i64(&buf, max_age);
	}
	err = buf_finish(&buf, &line);
	assert(err == OK);
	reply_field(exchange, STR("Set-Cookie"), line);
}
