/* SPDX-License-Identifier: Apache-2.0 */
#include "web/data.h"

#include <stdlib.h>

static json_t *made(json_t *value)
{
	if (value == NULL)
		abort();
	return value;
}

static json_t *text_value(struct str text)
{
	bool has_text = text.len > 0 && str_is_text(text);

	return made(has_text ? json_stringn_nocheck(text.at, text.len) : json_string(""));
}

static json_t *set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, made(value)) != 0)
		abort();
	return value;
}

static json_t *append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, made(value)) != 0)
		abort();
	return value;
}

void data_str(json_t *object, const char *key, struct str text)
{
	set(object, key, text_value(text));
}

void data_int(json_t *object, const char *key, int64_t value)
{
	set(object, key, json_integer(value));
}

void data_true(json_t *object, const char *key)
{
	set(object, key, json_true());
}

json_t *data_object(json_t *object, const char *key)
{
	return set(object, key, json_object());
}

json_t *data_array(json_t *object, const char *key)
{
	return set(object, key, json_array());
}

json_t *data_item(json_t *array)
{
	return append(array, json_object());
}

void data_item_str(json_t *array, struct str text)
{
	append(array, text_value(text));
}
