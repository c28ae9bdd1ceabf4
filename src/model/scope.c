/* SPDX-License-Identifier: Apache-2.0 */
#include "model/scope.h"

#include "base/arena.h"
#include "base/task.h"

/* RFC 6749 3.3 */
static bool is_name(struct str name)
{
	return name.len > 0 && name.len <= SCOPE_NAME_MAX && str_is_nqchar(name);
}

/* No more than there are spaces, and one. */
static size_t names_at_most(struct str text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.len && count < SCOPES_MAX; i++)
		count += text.at[i] == ' ';
	return count;
}

enum err scope_parse(struct task *task, struct str text, struct scope_set *ret_set)
{
	struct str *names = NEW_ARRAY(&task->arena, struct str, names_at_most(text));
	struct scope_set set = { .names = names };
	struct str name;

	if (str_is_empty(text)) {
		*ret_set = set;
		return OK;
	}
	while (str_next(&text, ' ', &name)) {
		if (!is_name(name))
			return fail(task, ERR_SCOPE, "scope is malformed");
		if (scope_has(set, name))
			continue;
		if (set.count == SCOPES_MAX)
			return fail(task, ERR_SCOPE, "scope has too many names");
		names[set.count++] = name;
	}
	*ret_set = set;
	return OK;
}

bool scope_has(struct scope_set set, struct str name)
{
	for (size_t i = 0; i < set.count; i++)
		if (str_equals(set.names[i], name))
			return true;
	return false;
}

bool scope_contains(struct scope_set whole, struct scope_set part)
{
	for (size_t i = 0; i < part.count; i++)
		if (!scope_has(whole, part.names[i]))
			return false;
	return true;
}

struct scope_set scope_intersect(struct arena *arena, struct scope_set a, struct scope_set b)
{
	struct str *names = NEW_ARRAY(arena, struct str, a.count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < a.count; i++)
		if (scope_has(b, a.names[i]))
			names[set.count++] = a.names[i];
	return set;
}

struct scope_set scope_union(struct arena *arena, struct scope_set a, struct scope_set b)
{
	struct str *names = NEW_ARRAY(arena, struct str, a.count + b.count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < a.count; i++)
		names[set.count++] = a.names[i];
	for (size_t i = 0; i < b.count; i++)
		if (!scope_has(a, b.names[i]))
			names[set.count++] = b.names[i];
	return set;
}

struct scope_set scope_without(struct arena *arena, struct scope_set a, struct scope_set b)
{
	struct str *names = NEW_ARRAY(arena, struct str, a.count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < a.count; i++)
		if (!scope_has(b, a.names[i]))
			names[set.count++] = a.names[i];
	return set;
}

struct str scope_text(struct arena *arena, struct scope_set set)
{
	struct str *parts = NEW_ARRAY(arena, struct str, set.count * 2 + 1);
	size_t count = 0;

	for (size_t i = 0; i < set.count; i++) {
		if (i > 0)
			parts[count++] = STR(" ");
		parts[count++] = set.names[i];
	}
	return str_join(arena, parts, count);
}
