/* SPDX-License-Identifier: Apache-2.0 */
#include "web/agents.h"

#include "authority/authority.h"
#include "authority/details.h"
#include "crypto/random.h"
#include "store/clients.h"
#include "store/grants.h"
#include "web/words.h"

#define WORDS_MAX (64 * 1024)

enum err agents_find(const struct page *page, struct db *db, struct str grant_id,
		     struct grant *ret_grant)
{
	struct grant grant;

	if (!id_is_valid(grant_id, "gra_"))
		return fail(page->task, ERR_NOT_FOUND, "no such agent");
	TRY(grant_find(page->task, db, grant_id, &grant));
	if (!str_equals(grant.user_id, page->user.id))
		return fail(page->task, ERR_NOT_FOUND, "no such agent");
	*ret_grant = grant;
	return OK;
}

struct str agents_resource_title(const struct page *page, struct str uri)
{
	const struct resource *resource = authority_resource(page->authority, uri);

	if (resource == &page->authority->issuer_resource)
		return page_text(page, "resource.issuer", NULL);
	return resource == NULL ? uri : resource->title;
}

static enum err find_name(const struct page *page, struct db *db, struct str client_id,
			  struct str *ret_name)
{
	struct client client;
	enum err err = client_find(page->task, db, client_id, &client);

	if (err == ERR_NOT_FOUND) {
		task_forgive(page->task);
		*ret_name = client_id;
		return OK;
	}
	TRY(err);
	*ret_name = client.name;
	return OK;
}

/* Who may act through the agent, as the person read it. */
static enum err add_delegates(const struct page *page, struct db *db, const struct grant *grant,
			      struct data *object)
{
	struct arena *arena = &page->task->arena;
	struct str names = STR(""), name;

	for (size_t i = 0; i < grant->delegates.count; i++) {
		TRY(find_name(page, db, grant->delegates.names[i], &name));
		names = STR_JOIN(arena, names, i == 0 ? STR("") : STR(", "), name, STR(" ("),
				 grant->delegates.names[i], STR(")"));
	}
	if (!str_is_empty(names))
		data_str(object, "delegates", names);
	return OK;
}

enum err agents_describe(const struct page *page, struct db *db, const struct grant *grant,
			 struct data *object)
{
	enum grant_status status = grant_status_at(grant, page->task->now);
	struct str name;

	TRY(find_name(page, db, grant->client_id, &name));
	data_str(object, "id", grant->id);
	data_str(object, "name", name);
	data_str(object, "client_id", grant->client_id);
	data_str(object, "resource", grant->resource);
	data_str(object, "resource_title", agents_resource_title(page, grant->resource));
	words_monogram(page, data_object(object, "monogram"), grant->client_id, name);
	words_status(page, data_object(object, "status"), status);
	data_true(object, str_to_c(&page->task->arena, STR_JOIN(&page->task->arena, STR("is_"),
								grant_status_name(status))));
	if (status == GRANT_ACTIVE || status == GRANT_PAUSED)
		data_true(object, "is_live");
	if (grant->operator_paused_at != 0)
		data_true(object, "is_operators_pause");
	else if (grant_waits_after_restore(grant))
		words_time(page, data_object(object, "restored"), grant->restored_at);
	TRY(add_delegates(page, db, grant, object));
	words_time(page, data_object(object, "created"), grant->created_at);
	words_time(page, data_object(object, "ends"), grant->expires_at);
	if (grant->last_used_at != 0)
		words_time(page, data_object(object, "last_used"), grant->last_used_at);
	return OK;
}

static void add_list(struct data *item, const struct data *words, const char *key)
{
	const struct data *list = data_get(words, str_from_c(key));

	if (data_count(list) > 0)
		data_share(item, key, list);
}

static bool has_text(const struct data *list, struct str text)
{
	for (const struct data *item = data_first(list); item != NULL; item = data_next(item))
		if (str_equals(data_text(item), text))
			return true;
	return false;
}

/* Was each installation that has the scope let do a part of it only (RFC 9396)? */
static bool is_in_parts(const struct agents_installed *installed, struct str scope)
{
	bool has_any = false;

	for (size_t i = 0; i < installed->count; i++) {
		const struct family *family = &installed->families[i];

		if (!scope_has(family->ceiling, scope))
			continue;
		if (!details_restrict(&family->details, scope))
			return false;
		has_any = true;
	}
	return has_any;
}

/* What they can of it, as far as the resource's file still has it. */
static void add_parts(const struct page *page, const struct agents_installed *installed,
		      struct str scope, struct data *list)
{
	for (size_t i = 0; i < installed->count; i++) {
		const struct family *family = &installed->families[i];
		const struct resource *resource = authority_resource(page->authority,
								     family->details.resource);
		struct details today = details_today(&page->task->arena, resource,
						     &family->details);

		if (!scope_has(family->ceiling, scope))
			continue;
		for (size_t k = 0; k < today.count; k++) {
			struct str text = words_detail(page, resource, &today.items[k]);

			if (str_equals(today.items[k].scope, scope) && !has_text(list, text))
				data_item_str(list, text);
		}
	}
}

/*
 * Words that were consented; today's file may say something else. They tell of the whole grant: a
 * later yes to a part of a scope leaves in them what an earlier one let do, for the installation
 * that it let in may still be there. Where none is left that can do it all, what they can is said.
 */
static void add_words(const struct page *page, const struct permission *permission,
		      const struct agents_installed *installed, struct data *item)
{
	CLEANUP(json_unref) json_t *kept = NULL;
	const struct data *words;
	struct str title;

	if (permission->words.len > 0 &&
	    json_parse(page->task, permission->words, WORDS_MAX, &kept) != OK)
		task_forgive(page->task);
	words = data_of_json(&page->task->arena, kept);
	title = data_get_str(words, "title");
	data_str(item, "title", title.len > 0 ? title : permission->scope);
	if (is_in_parts(installed, permission->scope))
		add_parts(page, installed, permission->scope, data_array(item, "can"));
	else
		add_list(item, words, "can");
	add_list(item, words, "cannot");
}

static struct str risk_of(const struct page *page, const struct grant *grant, struct str name)
{
	const struct resource *resource = authority_resource(page->authority, grant->resource);
	const struct resource_scope *scope = NULL;

	if (resource != NULL)
		scope = resource_find_scope(resource, name);
	if (scope == NULL)
		scope = resource_find_scope(&page->authority->issuer_resource, name);
	return scope == NULL ? STR("write") : scope->risk;
}

enum err agents_add_scopes(const struct page *page, const struct grant *grant,
			   const struct agents_installed *installed, struct data *object)
{
	struct arena *arena = &page->task->arena;
	struct data *list = data_array(object, "scopes");

	for (size_t i = 0; i < grant->permission_count; i++) {
		const struct permission *permission = &grant->permissions[i];
		struct str risk = risk_of(page, grant, permission->scope);
		struct str key = STR_JOIN(arena, STR("risk."), risk);
		struct data *item = data_item(list);

		data_str(item, "scope", permission->scope);
		data_str(item, "risk", risk);
		data_str(item, "word", page_text(page, key.at, NULL));
		add_words(page, permission, installed, item);
		words_time(page, data_object(item, "ends"), permission->expires_at);
		if (permission->expires_at <= page->task->now)
			data_true(item, "is_over");
	}
	return OK;
}

/* "agent#a other": who acts comes last, behind those through whom it acts. */
struct str agents_sub_agent_name(const struct page *page, struct str path)
{
	struct str text = STR(""), rest = path, name;

	while (!str_is_empty(path) && str_next(&rest, ' ', &name))
		text = STR_JOIN(&page->task->arena, text, str_is_empty(text) ? STR("") : STR(" › "),
				name);
	return text;
}

/* What an event's details say about why, for those whose reason a person should read. */
static const struct {
	const char *kind;
	const char *why;
	const char *key;
} whys[] = {
	{ "family.ended", "possible theft", "event.family.ended.theft" },
	{ "family.ended", "probably a lost answer", "event.family.ended.lost" },
	{ "family.ended", "code_reused", "event.family.ended.code" },
	{ "family.ended", "code_answer_lost", "event.family.ended.code_lost" },
	{ "family.ended", "revoked_by_client", "event.family.ended.client" },
	{ "grant.paused", "password_reset", "event.grant.paused.password" },
	{ "grant.paused", "restored", "event.grant.paused.restored" },
	{ "grant.paused", "the database is older than this token", "event.grant.paused.restored" },
	{ "token.repeated", "ten in a day", "event.token.repeated.often" },
	{ "token.refused", "too_many_sub_agents", "event.token.refused.fan_out" },
};

/* Events of sub-agents name them, or say it in other words when they mean all or one of them. */
static struct str sub_agent_tail(const struct event *event, struct str actor)
{
	if (str_starts_with(event->kind, STR("sub_agent.")) && str_is_empty(actor))
		return STR(".all");
	if (str_equals(event->kind, STR("resource.used")) && !str_is_empty(actor))
		return STR(".sub_agent");
	return STR("");
}

static struct str event_key(const struct page *page, const struct event *event,
			    const json_t *details)
{
	struct str why = json_get_str(details, "why"), notice = json_get_str(details, "notice");

	for (size_t i = 0; i < COUNT_OF(whys); i++)
		if (str_equals(event->kind, str_from_c(whys[i].kind)) &&
		    str_equals(notice.len > 0 ? notice : why, str_from_c(whys[i].why)))
			return str_from_c(whys[i].key);
	return STR_JOIN(&page->task->arena, STR("event."), event->kind,
			sub_agent_tail(event, json_get_str(details, "actor")));
}

/* The agent by its name where it acted itself; everybody else by what they are. */
static struct str actor_of(const struct page *page, const struct event *event, struct str name)
{
	struct str key = STR_JOIN(&page->task->arena, STR("actor."), event->actor);

	if (str_equals(event->actor, STR("agent")) && name.len > 0)
		return name;
	return page_text(page, key.at, NULL);
}

enum err agents_add_event(const struct page *page, struct db *db, const struct event *event,
			  struct data *list)
{
	CLEANUP(json_unref) json_t *details = NULL;
	struct data *item = data_item(list);
	struct str key, name = STR("");

	if (event->details.len > 0 &&
	    json_parse(page->task, event->details, WORDS_MAX, &details) != OK)
		task_forgive(page->task);
	key = event_key(page, event, details);
	data_str(item, "sub_agent", agents_sub_agent_name(page, json_get_str(details, "actor")));
	if (event->client_id.len > 0) {
		TRY(find_name(page, db, event->client_id, &name));
		data_str(item, "agent", name);
		words_monogram(page, data_object(item, "monogram"), event->client_id, name);
	}
	if (event->grant_id.len > 0)
		data_str(item, "grant_id", event->grant_id);
	if (event->resource.len > 0)
		data_str(item, "resource_title", agents_resource_title(page, event->resource));
	words_time(page, data_object(item, "at"), event->at);
	data_str(item, "who", actor_of(page, event, name));
	if (!str_equals(event->actor, STR("agent")))
		data_true(item, "is_done_to");
	data_str(item, "text", page_text(page, key.at, item));
	return OK;
}
