/* SPDX-License-Identifier: Apache-2.0 */
#include "config/members.h"

#include <string.h>

#include "base/task.h"

#define SUGGEST_LEN   40
#define SUGGEST_NAMES 40

static const char *const type_words[] = {
	[MEMBER_TEXT] = "a text in quotes", [MEMBER_YES_NO] = "true or false",
	[MEMBER_NUMBER] = "a whole number", [MEMBER_OBJECT] = "an object { … }",
	[MEMBER_ARRAY] = "a list [ … ]",    [MEMBER_ANY] = "anything",
};

struct str member_path(struct task *task, struct str path, const char *name)
{
	return STR_JOIN(&task->arena, path, path.len > 0 ? STR(".") : STR(""), str_from_c(name));
}

struct str member_index(struct task *task, struct str path, size_t index)
{
	return str_printf(&task->arena, "%.*s[%zu]", STR_FMT(path), index);
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t smallest = a < b ? a : b;

	return smallest < c ? smallest : c;
}

/* Levenshtein's distance of two short texts. */
static size_t distance(struct str a, struct str b)
{
	size_t row[SUGGEST_LEN + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t above = row[j];
			size_t changed = diagonal + (a.at[i - 1] != b.at[j - 1]);

			row[j] = least(above + 1, row[j - 1] + 1, changed);
			diagonal = above;
		}
	}
	return row[b.len];
}

struct str suggest(struct task *task, struct str written, const char *const *names, size_t count)
{
	size_t best = 3 < written.len / 2 ? 3 : written.len / 2;
	struct str close = STR_NONE;

	if (written.len > SUGGEST_LEN)
		return STR("");
	for (size_t i = 0; i < count; i++) {
		struct str name = str_from_c(names[i]);
		size_t apart = name.len > SUGGEST_LEN ? SIZE_MAX : distance(written, name);

		if (apart > best || (apart == best && close.at != NULL))
			continue;
		best = apart;
		close = name;
	}
	if (close.at == NULL)
		return STR("");
	return STR_JOIN(&task->arena, STR("; did you mean \""), close, STR("\"?"));
}

static bool has_type(const json_t *value, enum member_type type)
{
	switch (type) {
	case MEMBER_TEXT:
		return json_is_string(value);
	case MEMBER_YES_NO:
		return json_is_boolean(value);
	case MEMBER_NUMBER:
		return json_is_integer(value);
	case MEMBER_OBJECT:
		return json_is_object(value);
	case MEMBER_ARRAY:
		return json_is_array(value);
	case MEMBER_ANY:
		break;
	}
	return true;
}

static enum err unknown_member(struct task *task, const char *name, struct str path,
			       const struct member *members, size_t count)
{
	const char *names[SUGGEST_NAMES];
	struct buf known = buf_in(&task->arena, 1024);
	struct str hint, list;

	for (size_t i = 0; i < count && i < SUGGEST_NAMES; i++) {
		names[i] = members[i].name;
		if (i > 0)
			buf_add_c(&known, ", ");
		buf_add_c(&known, names[i]);
	}
	hint = suggest(task, str_from_c(name), names,
		       count < SUGGEST_NAMES ? count : SUGGEST_NAMES);
	TRY(buf_finish(&known, &list));
	if (hint.len == 0)
		hint = STR_JOIN(&task->arena, STR("; known are "), list);
	return failf(task, ERR_CONFIG, "%.*s: no such member%.*s",
		     STR_FMT(member_path(task, path, name)), STR_FMT(hint));
}

static const struct member *find_member(const struct member *members, size_t count,
					const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

enum err members_check(struct task *task, const json_t *value, struct str path,
		       const struct member *members, size_t count)
{
	const struct member *member;
	const char *name;
	json_t *item;

	if (!json_is_object(value))
		return failf(task, ERR_CONFIG, "%.*s: must be an object { … }",
			     STR_FMT(path.len > 0 ? path : STR("the text")));
	/* jansson walks an object through a pointer that is not const */
	json_object_foreach((json_t *)(uintptr_t)value, name, item)
	{
		member = find_member(members, count, name);
		if (member == NULL)
			return unknown_member(task, name, path, members, count);
		if (!has_type(item, member->type))
			return failf(task, ERR_CONFIG, "%.*s: must be %s",
				     STR_FMT(member_path(task, path, name)),
				     type_words[member->type]);
	}
	for (size_t i = 0; i < count; i++)
		if (members[i].required && json_object_get(value, members[i].name) == NULL)
			return failf(task, ERR_CONFIG, "%.*s: is missing",
				     STR_FMT(member_path(task, path, members[i].name)));
	return OK;
}
