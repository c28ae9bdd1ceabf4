/* SPDX-License-Identifier: Apache-2.0 */
#include "model/details.h"

#include "base/task.h"
#include "base/url.h"

#define ACTION_MAX 128
#define PATH_MAX_  256
#define PATH_CHARACTERS                                                                            \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/"

struct reading {
	struct task *task;
	const struct details_rules *rules; /* NULL: what we wrote ourselves */
	size_t index;
	size_t actions; /* of all elements so far: a person has to read them */
	struct str resource;
};

static const char *const limit_names[] = {
	[LIMIT_PER_HOUR] = "per_hour",
	[LIMIT_PER_DAY] = "per_day",
	[LIMIT_USES] = "uses",
};

static const struct str paths_name = STR_INIT("paths");

const char *limit_name(enum limit limit)
{
	return limit_names[limit];
}

static enum err refuse(const struct reading *reading, const char *why)
{
	return failf(reading->task, ERR_DETAILS, "authorization_details[%zu]: %s", reading->index,
		     why);
}

static struct str text_of(const json_t *value)
{
	if (!json_is_string(value))
		return STR_NONE;
	return (struct str){ json_string_value(value), json_string_length(value) };
}

/* Only members that we know, so that nobody believes in a condition that nobody keeps. */
static enum err check_members(const struct reading *reading, const json_t *object,
			      const char *const *names, size_t count, const char *why)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		bool is_known = false;

		for (size_t i = 0; i < count; i++)
			is_known = is_known || str_equals(str_from_c(key), str_from_c(names[i]));
		if (!is_known)
			return refuse(reading, why);
	}
	return OK;
}

/* Puts one in its place; the same once more changes nothing. */
static size_t insert(struct str *list, size_t count, struct str item)
{
	size_t at = count;

	while (at > 0 && str_compare(list[at - 1], item) > 0)
		at--;
	if (at > 0 && str_equals(list[at - 1], item))
		return count;
	for (size_t i = count; i > at; i--)
		list[i] = list[i - 1];
	list[at] = item;
	return count + 1;
}

static enum err take_type(const struct reading *reading, const json_t *object)
{
	if (!str_equals(text_of(json_object_get(object, "type")), STR(DETAILS_TYPE)))
		return refuse(reading, "type must be \"" DETAILS_TYPE "\"");
	return OK;
}

static enum err take_location(struct reading *reading, const json_t *object)
{
	const json_t *list = json_object_get(object, "locations");
	const struct details_rules *rules = reading->rules;
	struct str uri = text_of(json_array_get(list, 0));

	if (!json_is_array(list) || json_array_size(list) != 1 || str_is_empty(uri))
		return refuse(reading, "locations must be a list of the one resource");
	if (rules == NULL) {
		reading->resource = str_copy(&reading->task->arena, uri);
		return OK;
	}
	if (!rules->is_resource(reading->task, rules->context, uri))
		return failf(reading->task, ERR_TARGET,
			     "authorization_details[%zu]: locations is not the resource that is "
			     "asked for",
			     reading->index);
	return OK;
}

static bool takes(const struct operation_rule *rule, struct str limit)
{
	for (size_t i = 0; i < rule->limit_count; i++)
		if (str_equals(rule->limits[i], limit))
			return true;
	return false;
}

/* Of one scope, and takes the limits that are set. */
static enum err check_action(const struct reading *reading, struct str action,
			     struct detail *detail)
{
	struct operation_rule rule;

	if (reading->rules == NULL)
		return OK;
	if (!reading->rules->find(reading->rules->context, action, &rule))
		return refuse(reading, "actions has one that is no operation of the resource");
	if (detail->scope.at != NULL && !str_equals(detail->scope, rule.scope))
		return refuse(reading, "actions of another scope need an element of their own");
	detail->scope = rule.scope;
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (detail->limits[i] != 0 && !takes(&rule, str_from_c(limit_names[i])))
			return refuse(reading, "limits has one that the operation does not take");
	if (detail->path_count > 0 && !takes(&rule, paths_name))
		return refuse(reading, "limits has one that the operation does not take");
	return OK;
}

static enum err take_actions(struct reading *reading, const json_t *object, struct detail *detail)
{
	const json_t *list = json_object_get(object, "actions");
	size_t count = json_array_size(list);
	struct str *actions;

	reading->actions += count;
	if (!json_is_array(list) || count == 0 || reading->actions > ACTIONS_MAX)
		return refuse(reading,
			      "actions must be a list of operations, 1 to 64 in all elements");
	actions = NEW_ARRAY(&reading->task->arena, struct str, count);
	for (size_t i = 0; i < count; i++) {
		struct str action = text_of(json_array_get(list, i));

		if (str_is_empty(action) || action.len > ACTION_MAX)
			return refuse(reading, "actions must be a list of texts");
		action = str_copy(&reading->task->arena, action);
		TRY(check_action(reading, action, detail));
		detail->action_count = insert(actions, detail->action_count, action);
	}
	detail->actions = actions;
	return OK;
}

/*
 * One form only, so that who compares it compares the same: no dot segments, no empty ones, nothing
 * escaped, and the letters as they are.
 */
static bool is_path(struct str path)
{
	struct str rest = str_from(path, 1), segment;

	if (path.len == 0 || path.len > PATH_MAX_ || path.at[0] != '/' ||
	    !str_only(path, PATH_CHARACTERS))
		return false;
	if (path.len == 1)
		return true;
	while (str_next(&rest, '/', &segment))
		if (str_is_empty(segment))
			return false;
	return !url_has_dot_segment(path) && path.at[path.len - 1] != '/';
}

static enum err take_paths(const struct reading *reading, const json_t *list, struct detail *detail)
{
	size_t count = json_array_size(list);
	struct str *paths;

	if (!json_is_array(list) || count == 0 || count > PATHS_MAX)
		return refuse(reading, "limits.paths must be a list of 1 to 8 paths");
	paths = NEW_ARRAY(&reading->task->arena, struct str, count);
	for (size_t i = 0; i < count; i++) {
		struct str path = text_of(json_array_get(list, i));

		if (path.at == NULL || !is_path(path))
			return refuse(reading,
				      "limits.paths are like /a/b: unescaped, without dot or empty "
				      "segments, without a slash at the end");
		detail->path_count = insert(paths, detail->path_count,
					    str_copy(&reading->task->arena, path));
	}
	detail->paths = paths;
	return OK;
}

static enum err take_limits(const struct reading *reading, const json_t *object,
			    struct detail *detail)
{
	static const char *const names[] = { "per_hour", "per_day", "uses", "paths" };
	const json_t *limits = json_object_get(object, "limits");

	if (limits == NULL)
		return OK;
	if (!json_is_object(limits) || json_object_size(limits) == 0)
		return refuse(reading, "limits must be an object with limits");
	TRY(check_members(reading, limits, names, COUNT_OF(names),
			  "limits are per_hour, per_day, uses, paths"));
	for (int i = 0; i < LIMIT_COUNT; i++) {
		const json_t *value = json_object_get(limits, limit_names[i]);
		json_int_t number = json_integer_value(value);

		if (value == NULL)
			continue;
		if (!json_is_integer(value) || number < 1 || number > LIMIT_MAX)
			return refuse(reading, "limits must be whole numbers from 1 to 1000000");
		detail->limits[i] = number;
	}
	if (json_object_get(limits, "paths") == NULL)
		return OK;
	return take_paths(reading, json_object_get(limits, "paths"), detail);
}

/* It may be said, as we say it; of what we wrote it is what we know the scope by. */
static enum err take_scope(const struct reading *reading, const json_t *object,
			   struct detail *detail)
{
	const json_t *member = json_object_get(object, "scope");
	struct str scope = text_of(member);

	if (reading->rules == NULL && str_is_empty(scope))
		return refuse(reading, "there is no scope");
	if (member != NULL && reading->rules != NULL && !str_equals(scope, detail->scope))
		return refuse(reading, "scope is not that of the actions");
	if (reading->rules == NULL)
		detail->scope = str_copy(&reading->task->arena, scope);
	return OK;
}

static enum err take_detail(struct reading *reading, const json_t *object, struct detail *detail)
{
	static const char *const names[] = { "type", "locations", "scope", "actions", "limits" };

	if (!json_is_object(object))
		return refuse(reading, "is not an object");
	TRY(take_type(reading, object));
	TRY(check_members(reading, object, names, COUNT_OF(names),
			  "members are type, locations, scope, actions, limits"));
	TRY(take_location(reading, object));
	TRY(take_limits(reading, object, detail));
	TRY(take_actions(reading, object, detail));
	return take_scope(reading, object, detail);
}

static enum err take_all(struct reading *reading, const json_t *list, struct details *details)
{
	size_t count = json_array_size(list);
	struct detail *items;

	if (!json_is_array(list) || count == 0 || count > DETAILS_COUNT_MAX)
		return fail(reading->task, ERR_DETAILS,
			    "authorization_details must be a list of 1 to 32 objects");
	items = NEW_ARRAY(&reading->task->arena, struct detail, count);
	for (reading->index = 0; reading->index < count; reading->index++)
		TRY(take_detail(reading, json_array_get(list, reading->index),
				&items[reading->index]));
	*details = (struct details){ reading->resource, items, count };
	return OK;
}

enum err details_parse(struct task *task, struct str text, const struct details_rules *rules,
		       struct details *ret_details)
{
	struct reading reading = { .task = task, .rules = rules, .resource = rules->resource };
	CLEANUP(json_unref) json_t *list = NULL;
	struct details details;

	if (json_parse(task, text, DETAILS_ASKED_MAX, &list) != OK)
		return fail(
			task, ERR_DETAILS,
			"authorization_details is not JSON of at most 16 KiB, each member once");
	TRY(take_all(&reading, list, &details));
	if (details_print(&task->arena, &details).len > DETAILS_KEPT_MAX)
		return fail(task, ERR_DETAILS,
			    "authorization_details is too long: each token carries it");
	*ret_details = details;
	return OK;
}

enum err details_read(struct task *task, struct str text, struct details *ret_details)
{
	struct reading reading = { .task = task };
	CLEANUP(json_unref) json_t *list = NULL;

	*ret_details = (struct details){ 0 };
	if (str_is_empty(text))
		return OK;
	if (json_parse(task, text, DETAILS_KEPT_MAX, &list) != OK)
		return fail(task, ERR_DETAILS, "these authorization_details are not ours");
	return take_all(&reading, list, ret_details);
}

static void write_list(struct json_writer *json, const char *name, const struct str *items,
		       size_t count)
{
	json_key(json, name);
	json_open_array(json);
	for (size_t i = 0; i < count; i++)
		json_add_str(json, items[i]);
	json_close(json);
}

static bool has_limits(const struct detail *detail)
{
	bool has = detail->path_count > 0;

	for (int i = 0; i < LIMIT_COUNT; i++)
		has = has || detail->limits[i] != 0;
	return has;
}

static void write_detail(struct json_writer *json, const struct detail *detail, struct str resource)
{
	json_open_object(json);
	json_member_str(json, "type", STR(DETAILS_TYPE));
	write_list(json, "locations", &resource, 1);
	json_member_str(json, "scope", detail->scope);
	write_list(json, "actions", detail->actions, detail->action_count);
	if (has_limits(detail)) {
		json_key(json, "limits");
		json_open_object(json);
		for (int i = 0; i < LIMIT_COUNT; i++)
			if (detail->limits[i] != 0)
				json_member_int(json, limit_names[i], detail->limits[i]);
		if (detail->path_count > 0)
			write_list(json, "paths", detail->paths, detail->path_count);
		json_close(json);
	}
	json_close(json);
}

struct str details_print(struct arena *arena, const struct details *details)
{
	/* more than 32 elements at their longest, escaped */
	struct buf buf = buf_in(arena, 16 * DETAILS_ASKED_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text = STR_NONE;

	if (details->count == 0)
		return STR_NONE;
	json_open_array(&json);
	for (size_t i = 0; i < details->count; i++)
		write_detail(&json, &details->items[i], details->resource);
	json_close(&json);
	return buf_finish(&buf, &text) == OK ? text : STR_NONE;
}

bool details_fit(struct arena *arena, const struct details *details)
{
	size_t actions = 0;

	for (size_t i = 0; i < details->count; i++)
		actions += details->items[i].action_count;
	return details->count <= DETAILS_COUNT_MAX && actions <= ACTIONS_MAX &&
	       details_print(arena, details).len <= DETAILS_KEPT_MAX;
}

static bool is_in(struct str item, const struct str *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(list[i], item))
			return true;
	return false;
}

static bool is_below(struct str path, struct str above)
{
	if (above.len == 1 || str_equals(path, above))
		return true;
	return str_starts_with(path, above) && path.at[above.len] == '/';
}

static bool covers_path(const struct detail *parent, struct str path)
{
	for (size_t i = 0; i < parent->path_count; i++)
		if (is_below(path, parent->paths[i]))
			return true;
	return parent->path_count == 0;
}

bool detail_covers(const struct detail *parent, const struct detail *child)
{
	if (!str_equals(parent->scope, child->scope))
		return false;
	for (size_t i = 0; i < child->action_count; i++)
		if (!is_in(child->actions[i], parent->actions, parent->action_count))
			return false;
	for (int i = 0; i < LIMIT_COUNT; i++)
		if (parent->limits[i] != 0 &&
		    (child->limits[i] == 0 || child->limits[i] > parent->limits[i]))
			return false;
	if (parent->path_count > 0 && child->path_count == 0)
		return false;
	for (size_t i = 0; i < child->path_count; i++)
		if (!covers_path(parent, child->paths[i]))
			return false;
	return true;
}

bool details_cover(const struct details *parents, const struct detail *child)
{
	for (size_t i = 0; i < parents->count; i++)
		if (detail_covers(&parents->items[i], child))
			return true;
	return false;
}

bool details_restrict(const struct details *details, struct str scope)
{
	for (size_t i = 0; i < details->count; i++)
		if (str_equals(details->items[i].scope, scope))
			return true;
	return false;
}

struct details details_within(struct arena *arena, const struct details *details,
			      struct scope_set scopes)
{
	struct detail *items = NEW_ARRAY(arena, struct detail, details->count);
	struct details within = { details->resource, items, 0 };

	for (size_t i = 0; i < details->count; i++)
		if (scope_has(scopes, details->items[i].scope))
			items[within.count++] = details->items[i];
	return within;
}
