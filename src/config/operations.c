/* SPDX-License-Identifier: Apache-2.0 */
#include "config/operations.h"

#include "base/task.h"
#include "config/members.h"

#define OPERATIONS_MAX 64
#define NAME_BYTES     128
#define TITLE_BYTES    200

static const struct member operation_members[] = {
	{ "name", MEMBER_TEXT, true },
	{ "title", MEMBER_TEXT, true },
	{ "limits", MEMBER_ARRAY, false },
};

/* model/details.h knows what they mean */
static const char *const limit_words[] = { "per_hour", "per_day", "uses", "paths" };

static bool is_line(struct str text, size_t max, unsigned char least)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < least || text.at[i] == 0x7F)
			return false;
	return str_trim(text).len > 0 && text.len <= max;
}

static bool is_in(struct str name, const struct resource_scope *scope)
{
	for (size_t i = 0; i < scope->operation_count; i++)
		if (str_equals(scope->operations[i].name, name))
			return true;
	return false;
}

static enum err check_name(struct task *task, struct str name, struct str path,
			   const struct resource *before, const struct resource_scope *scope)
{
	bool is_twice = is_in(name, scope);

	if (!is_line(name, NAME_BYTES, '!') || !str_is_text(name))
		return failf(task, ERR_CONFIG,
			     "%.*s: must be 1 to %d printable characters without space",
			     STR_FMT(path), NAME_BYTES);
	for (size_t i = 0; i < before->scope_count; i++)
		is_twice = is_twice || is_in(name, &before->scopes[i]);
	if (is_twice)
		return failf(task, ERR_CONFIG, "%.*s: \"%.*s\" is there twice", STR_FMT(path),
			     STR_FMT(name));
	return OK;
}

static enum err take_limit(struct task *task, const json_t *value, struct str path,
			   struct str *ret_limit)
{
	struct str word = str_from_c(json_string_value(value));

	for (size_t i = 0; i < COUNT_OF(limit_words); i++) {
		if (!str_equals(word, str_from_c(limit_words[i])))
			continue;
		*ret_limit = str_from_c(limit_words[i]);
		return OK;
	}
	return failf(task, ERR_CONFIG, "%.*s: must be per_hour, per_day, uses or paths%.*s",
		     STR_FMT(path),
		     STR_FMT(suggest(task, word, limit_words, COUNT_OF(limit_words))));
}

static enum err take_limits(struct task *task, const json_t *list, struct str path,
			    struct resource_operation *operation)
{
	size_t count = json_array_size(list);
	struct str *limits = NEW_ARRAY(&task->arena, struct str, count);

	for (size_t i = 0; i < count; i++)
		TRY(take_limit(task, json_array_get(list, i), member_index(task, path, i),
			       &limits[i]));
	operation->limits = limits;
	operation->limit_count = count;
	return OK;
}

static enum err take_operation(struct task *task, const json_t *object, struct str path,
			       struct resource_operation *operation)
{
	struct str title;

	TRY(members_check(task, object, path, operation_members, COUNT_OF(operation_members)));
	title = json_get_str(object, "title");
	if (!is_line(title, TITLE_BYTES, ' '))
		return failf(task, ERR_CONFIG, "%.*s: must be one line of 1 to %d bytes",
			     STR_FMT(member_path(task, path, "title")), TITLE_BYTES);
	operation->name = str_copy(&task->arena, json_get_str(object, "name"));
	operation->title = str_copy(&task->arena, title);
	return take_limits(task, json_object_get(object, "limits"),
			   member_path(task, path, "limits"), operation);
}

enum err operations_parse(struct task *task, const json_t *list, struct str path,
			  const struct resource *before, struct resource_scope *scope)
{
	size_t count = json_array_size(list);
	struct resource_operation *operations = NEW_ARRAY(&task->arena, struct resource_operation,
							  count);

	path = member_path(task, path, "operations");
	if (count > OPERATIONS_MAX)
		return failf(task, ERR_CONFIG, "%.*s: at most %d", STR_FMT(path), OPERATIONS_MAX);
	scope->operations = operations;
	for (size_t i = 0; i < count; i++) {
		struct str at = member_index(task, path, i);

		TRY(take_operation(task, json_array_get(list, i), at, &operations[i]));
		TRY(check_name(task, operations[i].name, member_path(task, at, "name"), before,
			       scope));
		scope->operation_count = i + 1;
	}
	return OK;
}
