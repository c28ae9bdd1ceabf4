/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/details.h"

const struct resource_operation *details_operation(const struct resource *resource, struct str name,
						   const struct resource_scope **ret_scope)
{
	for (size_t i = 0; i < resource->scope_count; i++) {
		const struct resource_scope *scope = &resource->scopes[i];

		for (size_t j = 0; j < scope->operation_count; j++) {
			if (!str_equals(scope->operations[j].name, name))
				continue;
			*ret_scope = scope;
			return &scope->operations[j];
		}
	}
	return NULL;
}

static bool is_resource(struct task *task, const void *context, struct str uri)
{
	const struct resource *resource = context;
	struct str canonical = STR_NONE;

	return resource_canonical(task, uri, &canonical) == OK &&
	       str_equals(canonical, resource->uri);
}

static bool find(const void *context, struct str action, struct operation_rule *ret_rule)
{
	const struct resource_scope *scope = NULL;
	const struct resource_operation *operation = details_operation(context, action, &scope);

	if (operation == NULL)
		return false;
	*ret_rule = (struct operation_rule){ scope->name, operation->limits,
					     operation->limit_count };
	return true;
}

enum err details_asked(struct task *task, const struct resource *resource, struct str text,
		       struct details *ret_details)
{
	struct details_rules rules = { STR_NONE, is_resource, find, resource };

	*ret_details = (struct details){ 0 };
	if (resource == NULL || text.at == NULL)
		return OK;
	rules.resource = resource->uri;
	return details_parse(task, text, &rules, ret_details);
}

static struct detail detail_today(struct arena *arena, const struct resource *resource,
				  const struct detail *detail)
{
	struct str *actions = NEW_ARRAY(arena, struct str, detail->action_count);
	struct detail today = *detail;

	today.actions = actions;
	today.action_count = 0;
	for (size_t i = 0; i < detail->action_count; i++) {
		const struct resource_scope *scope = NULL;

		if (details_operation(resource, detail->actions[i], &scope) != NULL &&
		    str_equals(scope->name, detail->scope))
			actions[today.action_count++] = detail->actions[i];
	}
	return today;
}

struct details details_today(struct arena *arena, const struct resource *resource,
			     const struct details *details)
{
	struct detail *items = NEW_ARRAY(arena, struct detail, details->count);
	struct details today = { details->resource, items, 0 };

	for (size_t i = 0; i < details->count && resource != NULL; i++) {
		items[today.count] = detail_today(arena, resource, &details->items[i]);
		if (items[today.count].action_count > 0)
			today.count++;
	}
	return today;
}

bool details_are_offered(const struct config *config)
{
	for (size_t i = 0; i < config->resource_count; i++)
		for (size_t j = 0; j < config->resources[i].scope_count; j++)
			if (config->resources[i].scopes[j].operation_count > 0)
				return true;
	return false;
}
