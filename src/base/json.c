/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/task.h"

void json_start(void)
{
	json_set_alloc_funcs(memory_alloc, free);
}

void json_unref(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

/*
 * jansson nests to 2048 on its own; ours is checked first, without recursion and outside of
 * strings.
 */
static bool is_too_deep(struct str text)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

/* jansson ends its words with the bytes it stopped at, which may be a secret: those stay out. */
static enum err refuse(struct task *task, const json_error_t *error)
{
	struct str words = str_from_c(error->text);
	const char *near = strstr(error->text, " near '");

	if (near != NULL)
		words = str_sub(words, 0, (size_t)(near - error->text));
	if (str_starts_with(words, STR("duplicate object key")))
		words = STR("duplicate object key");
	return failf(task, ERR_SYNTAX, "line %d, column %d: %.*s", error->line, error->column,
		     STR_FMT(words));
}

enum err json_parse(struct task *task, struct str text, size_t max, json_t **ret_value)
{
	json_error_t error;
	json_t *value;

	if (text.len > max)
		return fail(task, ERR_TOO_LARGE, "the JSON text is too large");
	if (text.len == 0)
		return fail(task, ERR_SYNTAX, "the JSON text is empty");
	/* jansson overlooks one that stands behind a number */
	if (str_has(text, '\0'))
		return fail(task, ERR_SYNTAX, "the JSON text has a NUL byte");
	if (is_too_deep(text))
		return fail(task, ERR_SYNTAX, "the JSON text is nested too deeply");
	value = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &error);
	if (value == NULL)
		return refuse(task, &error);
	*ret_value = value;
	return OK;
}

static int add_chunk(const char *bytes, size_t len, void *buf)
{
	buf_add(buf, (struct str){ bytes, len });
	return 0;
}

enum err json_print(struct task *task, const json_t *value, size_t max, struct str *ret_text)
{
	struct buf buf = buf_in(&task->arena, max);

	if (json_dump_callback(value, add_chunk, &buf, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
		return fail(task, ERR_INTERNAL, "a JSON value cannot be written");
	return buf_finish(&buf, ret_text);
}

struct str json_get_str(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member))
		return STR_NONE;
	return (struct str){ json_string_value(member), json_string_length(member) };
}

struct json_writer json_write_to(struct buf *buf)
{
	return (struct json_writer){ .buf = buf };
}

static void before_value(struct json_writer *json)
{
	uint32_t bit = UINT32_C(1) << json->depth;

	if (!(json->is_array & bit))
		return;
	if (json->has_items & bit)
		buf_add_char(json->buf, ',');
	json->has_items |= bit;
}

static void open_level(struct json_writer *json, bool is_array)
{
	uint32_t bit;

	before_value(json);
	assert(json->depth < 31);
	json->depth++;
	bit = UINT32_C(1) << json->depth;
	json->is_array = is_array ? json->is_array | bit : json->is_array & ~bit;
	json->has_items &= ~bit;
	buf_add_char(json->buf, is_array ? '[' : '{');
}

void json_open_object(struct json_writer *json)
{
	open_level(json, false);
}

void json_open_array(struct json_writer *json)
{
	open_level(json, true);
}

void json_close(struct json_writer *json)
{
	uint32_t bit = UINT32_C(1) << json->depth;

	assert(json->depth > 0);
	buf_add_char(json->buf, json->is_array & bit ? ']' : '}');
	json->depth--;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static void add_escaped(struct buf *buf, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\')
		buf_add(buf, (struct str){ (char[]){ '\\', (char)c }, 2 });
	else if (c == '\n')
		buf_add(buf, STR("\\n"));
	else
		buf_add(buf, (struct str){ text, sizeof(text) });
}

static size_t utf8_length(struct str s)
{
	for (size_t len = 2; len <= 4 && len <= s.len; len++)
		if (str_is_text(str_sub(s, 0, len)))
			return len;
	return 0;
}

static void add_special(struct buf *buf, struct str *rest)
{
	unsigned char c = (unsigned char)rest->at[0];
	size_t len = 1;

	if (c <= 0x7F) {
		add_escaped(buf, c);
	} else {
		len = utf8_length(*rest);
		buf_add(buf, len == 0 ? STR("\xEF\xBF\xBD") : str_sub(*rest, 0, len));
		len = len == 0 ? 1 : len;
	}
	*rest = str_from(*rest, len);
}

#define IN_EACH(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * Eight bytes at once, each as is_plain would have it. The highest bit of a byte is set where it is
 * above 0x7F, where 0x20 cannot be taken from it, and where nothing differs from what is escaped.
 */
static bool are_plain(const char *at)
{
	uint64_t eight, quote, slash, del;

	memcpy(&eight, at, sizeof(eight));
	quote = eight ^ IN_EACH('"');
	slash = eight ^ IN_EACH('\\');
	del = eight ^ IN_EACH(0x7F);
	return ((eight | (eight - IN_EACH(0x20)) | (quote - IN_EACH(1)) | (slash - IN_EACH(1)) |
		 (del - IN_EACH(1))) &
		IN_EACH(0x80)) == 0;
}

/* A token is a long text of which every byte is plain. */
static size_t plain_length(struct str s)
{
	size_t len = 0;

	while (s.len - len >= sizeof(uint64_t) && are_plain(s.at + len))
		len += sizeof(uint64_t);
	while (len < s.len && is_plain((unsigned char)s.at[len]))
		len++;
	return len;
}

static void add_quoted(struct buf *buf, struct str s)
{
	buf_add_char(buf, '"');
	while (s.len > 0) {
		size_t plain = plain_length(s);

		buf_add(buf, str_sub(s, 0, plain));
		s = str_from(s, plain);
		if (s.len > 0)
			add_special(buf, &s);
	}
	buf_add_char(buf, '"');
}

void json_key(struct json_writer *json, const char *key)
{
	uint32_t bit = UINT32_C(1) << json->depth;

	if (json->has_items & bit)
		buf_add_char(json->buf, ',');
	json->has_items |= bit;
	add_quoted(json->buf, str_from_c(key));
	buf_add_char(json->buf, ':');
}

void json_add_str(struct json_writer *json, struct str value)
{
	before_value(json);
	add_quoted(json->buf, value);
}

void json_add_int(struct json_writer *json, int64_t value)
{
	before_value(json);
	buf_add_i64(json->buf, value);
}

void json_add_bool(struct json_writer *json, bool value)
{
	json_add_raw(json, value ? STR("true") : STR("false"));
}

void json_add_null(struct json_writer *json)
{
	json_add_raw(json, STR("null"));
}

void json_add_raw(struct json_writer *json, struct str value)
{
	before_value(json);
	buf_add(json->buf, value);
}

void json_member_str(struct json_writer *json, const char *key, struct str value)
{
	json_key(json, key);
	json_add_str(json, value);
}

void json_member_int(struct json_writer *json, const char *key, int64_t value)
{
	json_key(json, key);
	json_add_int(json, value);
}

void json_member_bool(struct json_writer *json, const char *key, bool value)
{
	json_key(json, key);
	json_add_bool(json, value);
}

void json_member_raw(struct json_writer *json, const char *key, struct str value)
{
	if (value.at == NULL)
		return;
	json_key(json, key);
	json_add_raw(json, value);
}
