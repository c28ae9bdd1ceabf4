/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent wants, as the consent page says it: each scope with its words and its box. */
#include "web/consent_view.h"

#include "web/words.h"

/* The resource's words; OpenID Connect's scopes may stand beside those of any resource. */
static const struct resource_scope *find_scope(const struct question *question, struct str name)
{
	const struct resource_scope *scope = resource_find_scope(question->view->resource, name);

	if (scope == NULL)
		scope = resource_find_scope(&question->page->authority->issuer_resource, name);
	return scope;
}

static bool is_ours(const struct question *question, const struct resource_scope *scope)
{
	const struct resource *own = &question->page->authority->issuer_resource;

	return scope != NULL && resource_find_scope(own, scope->name) == scope;
}

/* What OpenID Connect asks for is worded by us, in the reader's language. */
static struct str own_text(const struct question *question, const struct resource_scope *scope,
			   struct str tail)
{
	struct str key = STR_JOIN(&question->page->task->arena, STR("scope."), scope->name, tail);

	return question_text(question, key.at, NULL);
}

static struct str title_of(const struct question *question, struct str name,
			   const struct resource_scope *scope)
{
	if (is_ours(question, scope))
		return own_text(question, scope, STR(""));
	return scope == NULL ? name : scope->title;
}

static void add_sentences(const struct question *question, struct data *item, const char *key,
			  const struct str *list, size_t count)
{
	struct data *array = data_array(item, key);

	for (size_t i = 0; i < count; i++)
		question_say_item(question, array, list[i]);
}

static bool is_already(const struct question *question, struct str name)
{
	return scope_has(question->view->difference.already, name);
}

static bool is_ticked(const struct question *question, struct str name, struct str risk)
{
	const struct consent_view *view = question->view;

	if (is_already(question, name) || str_equals(risk, STR("read")))
		return true;
	/* another program of that name asks again, or one we cannot see: only reading is ticked */
	return str_equals(risk, STR("write")) &&
	       (view->grant.id.len == 0 || view->difference.is_same) &&
	       !auth_request_is_device(&view->request);
}

/* In words, and in the label of the box: also for who does not see under which heading it is. */
static void add_mark(const struct question *question, struct data *item, struct str name)
{
	struct data *mark;

	if (!question->view->difference.is_same)
		return;
	mark = data_object(item, "mark");
	data_str(mark, "class", is_already(question, name) ? STR("had") : STR("new"));
	question_say(question, mark, "word",
		     question_text(question,
				   is_already(question, name) ? "consent.mark_already"
							      : "consent.mark_new",
				   NULL));
}

/* RFC 9396: each element in full, in place of what the whole scope could do. */
static void add_only(const struct question *question, struct data *item, struct str scope)
{
	const struct consent_view *view = question->view;
	const struct details *details = &view->request.details;
	struct data *part = data_object(item, "can"), *list;

	question_say(question, part, "label",
		     question_text(question,
				   view->resource->enforced_by_gateway
					   ? "consent.can_only"
					   : "consent.can_only_promised",
				   data_get(question->page->data, STR("question"))));
	list = data_array(part, "list");
	for (size_t i = 0; i < details->count; i++)
		if (str_equals(details->items[i].scope, scope))
			question_say_item(
				question, list,
				words_detail(question->page, view->resource, &details->items[i]));
}

static void add_scope(const struct question *question, struct data *group, struct str name,
		      const struct resource_scope *scope)
{
	struct data *item = data_item(data_get(group, STR("scopes")));
	const char *cannot = question->view->resource->enforced_by_gateway
				     ? "consent.cannot"
				     : "consent.cannot_promised";

	data_str(item, "name", name);
	if (is_ticked(question, name, data_get_str(group, "risk")))
		data_true(item, "checked");
	question_say(question, item, "title", title_of(question, name, scope));
	add_mark(question, item, name);
	if (details_restrict(&question->view->request.details, name)) {
		add_only(question, item, name);
	} else if (scope != NULL && scope->can_count > 0) {
		struct data *part = data_object(item, "can");

		question_say(question, part, "label", question_text(question, "consent.can", NULL));
		if (is_ours(question, scope)) {
			struct str can = own_text(question, scope, STR(".can"));

			add_sentences(question, part, "list", &can, 1);
		} else {
			add_sentences(question, part, "list", scope->can, scope->can_count);
		}
	}
	if (scope != NULL && scope->cannot_count > 0) {
		struct data *part = data_object(item, "cannot");

		question_say(question, part, "label",
			     question_text(question, cannot,
					   data_get(question->page->data, STR("question"))));
		add_sentences(question, part, "list", scope->cannot, scope->cannot_count);
	}
	data_item_share(question->scopes, item);
}

static struct str risk_of(const struct resource_scope *scope)
{
	return scope == NULL ? STR("write") : scope->risk;
}

/* asked: what of the request stands under this heading. */
static void add_group(const struct question *question, struct data *groups,
		      const struct scope_set *asked, struct str risk)
{
	struct arena *arena = &question->page->task->arena;
	struct data *group = NULL;

	for (size_t i = 0; i < asked->count; i++) {
		const struct resource_scope *scope = find_scope(question, asked->names[i]);

		if (!str_equals(risk_of(scope), risk))
			continue;
		if (group == NULL) {
			struct str key = STR_JOIN(arena, STR("risk."), risk);

			group = data_item(groups);
			data_str(group, "risk", risk);
			question_say(question, group, "word",
				     question_text(question, key.at, NULL));
			data_array(group, "scopes");
		}
		add_scope(question, group, asked->names[i], scope);
	}
}

static void add_part(const struct question *question, struct data *parts, const char *heading,
		     const struct scope_set *asked)
{
	struct data *part, *groups;

	if (asked->count == 0)
		return;
	part = data_item(parts);
	question_say(
		question, part, "wants",
		question_text(question, heading, data_get(question->page->data, STR("question"))));
	groups = data_array(part, "groups");
	for (enum risk risk = RISK_READ; risk <= RISK_DELETE; risk++)
		add_group(question, groups, asked, risk_name(risk));
}

/* What the agent can go on doing and does not ask for now: said, not asked. */
static void add_besides(const struct question *question, struct data *data)
{
	const struct scope_set *besides = &question->view->difference.besides;
	struct data *part, *list;

	if (besides->count == 0)
		return;
	part = data_object(data, "besides");
	question_say(question, part, "words", question_text(question, "consent.besides", data));
	list = data_array(part, "list");
	for (size_t i = 0; i < besides->count; i++)
		question_say_item(question, list,
				  title_of(question, besides->names[i],
					   find_scope(question, besides->names[i])));
}

void question_add_wants(const struct question *question, struct data *data)
{
	const struct consent_view *view = question->view;
	const struct scope_set *asked = &view->request.scope;
	struct arena *arena = &question->page->task->arena;
	struct scope_set fresh = scope_without(arena, *asked, view->difference.already);
	struct scope_set had = scope_intersect(arena, *asked, view->difference.already);
	struct data *parts = data_array(data, "parts");

	if (!view->difference.is_same)
		return add_part(question, parts, "consent.wants", asked);
	add_part(question, parts, "consent.wants_new", &fresh);
	add_part(question, parts, "consent.wants_already", &had);
	if (had.count > 0)
		question_say(question, data_last(parts), "hint",
			     question_text(question, "consent.already_hint", data));
	add_besides(question, data);
}
