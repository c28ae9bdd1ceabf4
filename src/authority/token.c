/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/token.h"

#include "authority/binding.h"
#include "authority/events.h"
#include "authority/throttle.h"
#include "base/json.h"
#include "store/events.h"

#define DETAILS_MAX 4096

struct self_issue {
	struct event event;
	struct str event_key; /* what one event a minute stands for */
	bool has_event;
	const struct resource *resource;
	struct scope_set scope;
	struct str jkt;
};

enum err token_check_resource(struct task *task, struct str asked, struct str granted)
{
	struct str canonical;

	TRY(resource_canonical(task, asked, &canonical));
	if (!str_equals(canonical, granted))
		return fail(task, ERR_TARGET, "the resource is not the granted one");
	return OK;
}

static enum err find_resource(struct task *task, const struct token_wish *wish,
			      const struct resource **ret_resource)
{
	struct str uri = wish->client.resource;
	const struct resource *resource;

	if (wish->resource.at != NULL)
		TRY(resource_canonical(task, wish->resource, &uri));
	if (uri.at == NULL)
		return fail(task, ERR_TARGET,
			    "resource is missing, and this client has no default");
	resource = config_find_resource(authority_config(wish->authority), uri);
	if (resource == NULL)
		return fail(task, ERR_TARGET, "the resource is not known here");
	*ret_resource = resource;
	return OK;
}

/*
 * Only scopes that the operator marked for agents acting as themselves, within the client's
 * ceiling.
 */
static bool may_have(const struct client *client, const struct resource_scope *scope)
{
	return scope != NULL && scope->for_clients &&
	       (client->scope.count == 0 || scope_has(client->scope, scope->name));
}

static enum err choose_scope(struct task *task, const struct token_wish *wish,
			     const struct resource *resource, struct scope_set *ret_scope)
{
	struct str *names = NEW_ARRAY(&task->arena, struct str, resource->scope_count);
	struct scope_set all = { .names = names }, asked;

	for (size_t i = 0; i < resource->scope_count; i++)
		if (may_have(&wish->client, &resource->scopes[i]))
			names[all.count++] = resource->scopes[i].name;
	TRY(scope_parse(task, wish->scope, &asked));
	if (asked.count == 0)
		asked = all;
	if (asked.count == 0 || !scope_contains(all, asked))
		return fail(task, ERR_SCOPE, "this client may not have this scope for itself");
	*ret_scope = asked;
	return OK;
}

static enum err write_event(struct task *task, struct db *db, void *arg)
{
	const struct token_wish *wish = arg;
	const struct self_issue *self = wish->work;

	TRY(single_use_spend(task, db, &wish->single_use));
	return self->has_event ? event_insert(task, db, &self->event) : OK;
}

static enum err issue_to_client(struct task *task, struct token_wish *wish)
{
	const struct self_issue *self = wish->work;
	struct client_order order = {
		.client = &wish->client,
		.resource = self->resource,
		.scope = self->scope,
		.jkt = self->jkt,
	};

	return issue_client_token(task, wish->authority, &order, &wish->answer, wish->then, wish);
}

/* Only what is on record ends the search for a record within the minute. */
static enum err event_written(struct task *task, enum err result, void *arg)
{
	struct token_wish *wish = arg;
	const struct self_issue *self = wish->work;

	wish->is_spent = result == OK;
	if (result == OK && self->has_event)
		throttle_count(task, wish->authority->throttle, THROTTLE_CLIENT_EVENT,
			       self->event_key);
	if (result == OK)
		result = issue_to_client(task, wish);
	return result == ERR_PARKED ? result : wish->then(task, result, wish);
}

static enum err prepare_event(struct task *task, const struct token_wish *wish,
			      struct self_issue *self)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);
	struct event *event = &self->event;

	json_open_object(&json);
	json_member_str(&json, "scope", scope_text(&task->arena, self->scope));
	json_close(&json);
	*event = event_new(task, STR("token.issued_to_client"), STR("agent"));
	event->client_id = wish->client.id;
	event->resource = self->resource->uri;
	event->request_id = wish->request_id;
	return buf_finish(&buf, &event->details);
}

/*
 * Nothing in the database changes with such a token but what it spends, and no person's grant is
 * used by it: one event a minute, committed before the first token of that minute leaves, says who
 * was at work with what. Each token is in the log.
 */
enum err token_client_credentials(struct task *task, const struct authority *authority,
				  struct token_wish *wish, then_fn *then)
{
	struct self_issue *self = NEW(&task->arena, struct self_issue);

	wish->authority = authority;
	wish->then = then;
	wish->work = self;
	if (client_is_public(&wish->client) ||
	    !client_allows(&wish->client, GRANT_CLIENT_CREDENTIALS))
		return fail(task, ERR_CLIENT_NOT_ALLOWED,
			    "this client may not use client_credentials");
	if (wish->details.at != NULL)
		return fail(task, ERR_DETAILS,
			    "authorization_details are for what a person allows");
	TRY(find_resource(task, wish, &self->resource));
	TRY(choose_scope(task, wish, self->resource, &self->scope));
	TRY(binding_choose(task, wish, self->resource, &self->jkt));
	self->event_key = STR_JOIN(&task->arena, wish->client.id, STR(" "), self->resource->uri,
				   STR(" "), scope_text(&task->arena, self->scope));
	self->has_event = !throttle_is_used_up(task, authority->throttle, THROTTLE_CLIENT_EVENT,
					       self->event_key);
	if (self->has_event)
		TRY(prepare_event(task, wish, self));
	else if (single_use_is_empty(&wish->single_use))
		return issue_to_client(task, wish);
	return store_submit(task, authority->store, write_event, wish, event_written);
}
