/* SPDX-License-Identifier: Apache-2.0 */
#include "http/data.h"

#include "base/task.h"

enum data_kind { DATA_NOTHING, DATA_TRUE, DATA_INT, DATA_TEXT, DATA_ARRAY, DATA_OBJECT };

struct data {
	enum data_kind kind;
	struct arena *arena;
	struct str name;   /* of a member */
	struct data *next; /* of its siblings */
	union {
		int64_t number;
		struct str text;
		struct {
			struct data *first, *last;
			size_t count;
		} parts;
	};
};

static struct data *new_value(struct arena *arena, enum data_kind kind)
{
	struct data *value = NEW(arena, struct data);

	value->kind = kind;
	value->arena = arena;
	return value;
}

static struct data text_value(struct arena *arena, struct str text)
{
	bool has_text = text.len > 0 && str_is_text(text);

	return (struct data){ .kind = DATA_TEXT,
			      .arena = arena,
			      .text = has_text ? str_copy(arena, text) : STR("") };
}

/* What it is, where `place` is. */
static void become(struct data *place, const struct data *value)
{
	struct str name = place->name;
	struct data *next = place->next;

	*place = *value;
	place->name = name;
	place->next = next;
}

static struct data *append(struct data *whole)
{
	struct data *part = new_value(whole->arena, DATA_NOTHING);

	if (whole->parts.last == NULL)
		whole->parts.first = part;
	else
		whole->parts.last->next = part;
	whole->parts.last = part;
	whole->parts.count++;
	return part;
}

static void take_out(struct data *whole, const struct data *part)
{
	struct data **place = &whole->parts.first, *before = NULL;

	while (*place != NULL && *place != part) {
		before = *place;
		place = &before->next;
	}
	if (*place == NULL)
		return;
	*place = part->next;
	if (whole->parts.last == part)
		whole->parts.last = before;
	whole->parts.count--;
}

static struct data *set(struct data *object, const char *name, const struct data *value)
{
	struct str key = str_from_c(name);
	struct data *place = data_get(object, key);

	if (place == NULL) {
		place = append(object);
		place->name = key;
	}
	become(place, value);
	return place;
}

static struct data *add(struct data *array, const struct data *value)
{
	struct data *place = append(array);

	become(place, value);
	return place;
}

static struct data of_kind(const struct data *whole, enum data_kind kind)
{
	return (struct data){ .kind = kind, .arena = whole->arena };
}

struct data *data_new_object(struct arena *arena)
{
	return new_value(arena, DATA_OBJECT);
}

struct data *data_new_array(struct arena *arena)
{
	return new_value(arena, DATA_ARRAY);
}

/* --- members --- */

void data_str(struct data *object, const char *name, struct str text)
{
	struct data value = text_value(object->arena, text);

	set(object, name, &value);
}

void data_int(struct data *object, const char *name, int64_t number)
{
	struct data value = of_kind(object, DATA_INT);

	value.number = number;
	set(object, name, &value);
}

void data_true(struct data *object, const char *name)
{
	struct data value = of_kind(object, DATA_TRUE);

	set(object, name, &value);
}

struct data *data_object(struct data *object, const char *name)
{
	struct data value = of_kind(object, DATA_OBJECT);

	return set(object, name, &value);
}

struct data *data_array(struct data *object, const char *name)
{
	struct data value = of_kind(object, DATA_ARRAY);

	return set(object, name, &value);
}

void data_share(struct data *object, const char *name, const struct data *value)
{
	set(object, name, value);
}

void data_remove(struct data *object, const char *name)
{
	take_out(object, data_get(object, str_from_c(name)));
}

/* --- items --- */

struct data *data_item(struct data *array)
{
	struct data value = of_kind(array, DATA_OBJECT);

	return add(array, &value);
}

void data_item_str(struct data *array, struct str text)
{
	struct data value = text_value(array->arena, text);

	add(array, &value);
}

void data_item_share(struct data *array, const struct data *value)
{
	add(array, value);
}

void data_items_share(struct data *array, const struct data *from)
{
	for (const struct data *item = data_first(from); item != NULL; item = item->next)
		add(array, item);
}

void data_remove_last(struct data *array)
{
	take_out(array, array->parts.last);
}

/* --- looking --- */

static bool has_parts(const struct data *value)
{
	return value != NULL && (value->kind == DATA_ARRAY || value->kind == DATA_OBJECT);
}

struct data *data_get(const struct data *object, struct str name)
{
	if (object == NULL || object->kind != DATA_OBJECT)
		return NULL;
	for (struct data *part = object->parts.first; part != NULL; part = part->next)
		if (str_equals(part->name, name))
			return part;
	return NULL;
}

struct str data_get_str(const struct data *object, const char *name)
{
	const struct data *value = data_get(object, str_from_c(name));

	return value != NULL && value->kind == DATA_TEXT ? value->text : STR_NONE;
}

struct data *data_first(const struct data *value)
{
	return has_parts(value) ? value->parts.first : NULL;
}

struct data *data_next(const struct data *value)
{
	return value == NULL ? NULL : value->next;
}

struct data *data_last(const struct data *value)
{
	return has_parts(value) ? value->parts.last : NULL;
}

size_t data_count(const struct data *value)
{
	return has_parts(value) ? value->parts.count : 0;
}

bool data_is_array(const struct data *value)
{
	return value != NULL && value->kind == DATA_ARRAY;
}

bool data_is_something(const struct data *value)
{
	if (value == NULL)
		return false;
	switch (value->kind) {
	case DATA_NOTHING:
		return false;
	case DATA_INT:
		return value->number != 0;
	case DATA_TEXT:
		return value->text.len > 0;
	case DATA_ARRAY:
		return value->parts.count > 0;
	case DATA_TRUE:
	case DATA_OBJECT:
		return true;
	}
	return false;
}

struct str data_text(const struct data *value)
{
	if (value != NULL && value->kind == DATA_TEXT)
		return value->text;
	if (value != NULL && value->kind == DATA_INT)
		return str_printf(value->arena, "%lld", (long long)value->number);
	return STR_NONE;
}

/* --- from and to JSON --- */

static void copy_object(struct data *object, json_t *value)
{
	const char *key;
	json_t *member;

	json_object_foreach(value, key, member)
	{
		const char *name = str_to_c(object->arena, str_from_c(key));

		data_share(object, name, data_of_json(object->arena, member));
	}
}

static void copy_array(struct data *array, json_t *value)
{
	for (size_t i = 0; i < json_array_size(value); i++)
		data_item_share(array, data_of_json(array->arena, json_array_get(value, i)));
}

struct data *data_of_json(struct arena *arena, json_t *value)
{
	struct data *copy = new_value(arena, DATA_NOTHING);

	if (json_is_object(value)) {
		copy->kind = DATA_OBJECT;
		copy_object(copy, value);
	} else if (json_is_array(value)) {
		copy->kind = DATA_ARRAY;
		copy_array(copy, value);
	} else if (json_is_string(value)) {
		*copy = text_value(
			arena, (struct str){ json_string_value(value), json_string_length(value) });
	} else if (json_is_integer(value)) {
		copy->kind = DATA_INT;
		copy->number = json_integer_value(value);
	} else if (json_is_true(value)) {
		copy->kind = DATA_TRUE;
	}
	return copy;
}

static void print(struct json_writer *json, const struct data *value);

static void print_parts(struct json_writer *json, const struct data *whole)
{
	for (const struct data *part = whole->parts.first; part != NULL; part = part->next) {
		if (whole->kind == DATA_OBJECT && part->kind == DATA_NOTHING)
			continue;
		if (whole->kind == DATA_OBJECT)
			json_key(json, part->name.at);
		print(json, part);
	}
	json_close(json);
}

static void print(struct json_writer *json, const struct data *value)
{
	switch (value->kind) {
	case DATA_NOTHING:
		json_add_null(json);
		break;
	case DATA_TRUE:
		json_add_bool(json, true);
		break;
	case DATA_INT:
		json_add_int(json, value->number);
		break;
	case DATA_TEXT:
		json_add_str(json, value->text);
		break;
	case DATA_ARRAY:
		json_open_array(json);
		print_parts(json, value);
		break;
	case DATA_OBJECT:
		json_open_object(json);
		print_parts(json, value);
		break;
	}
}

enum err data_print(struct task *task, const struct data *value, size_t max, struct str *ret_text)
{
	struct buf buf = buf_in(&task->arena, max);
	struct json_writer json = json_write_to(&buf);

	print(&json, value);
	return buf_finish(&buf, ret_text);
}
