/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/scope_choice.h"

#include "authority/details.h"
#include "crypto/jws.h"

/* base64 makes four bytes of three; the last are for the header, the signature and other claims */
_Static_assert((SCOPE_ASKED_MAX + DETAILS_KEPT_MAX) * 4 / 3 + 4096 <= JWS_MAX,
	       "a token has room for all that can be asked for");

static enum err choose_resource(struct task *task, const struct authority *authority,
				struct scope_choice *choice, struct scope_set asked)
{
	struct str uri = choice->client->resource;

	if (choice->resource_count > 1)
		return fail(task, ERR_TARGET, "one resource at a time");
	if (!str_is_empty(choice->resource))
		TRY(resource_canonical(task, choice->resource, &uri));
	else if (uri.at == NULL && scope_has(asked, STR("openid")))
		uri = authority->issuer_resource.uri;
	if (uri.at == NULL)
		return fail(task, ERR_TARGET,
			    "resource is missing (audience is not read), and this agent has "
			    "no default");
	choice->chosen = authority_resource(authority, uri);
	if (choice->chosen == NULL)
		return fail(task, ERR_TARGET, "the resource is not known here");
	return OK;
}

static struct scope_set default_scope(struct task *task, const struct scope_choice *choice)
{
	const struct resource *resource = choice->chosen;
	struct scope_set ceiling = client_ceiling(choice->client);
	struct str *names = NEW_ARRAY(&task->arena, struct str, resource->scope_count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < resource->scope_count; i++)
		if (resource->scopes[i].is_default &&
		    (ceiling.count == 0 || scope_has(ceiling, resource->scopes[i].name)))
			names[set.count++] = resource->scopes[i].name;
	return set;
}

/*
 * Of what agents that nobody set up ask for or registered: they take all that our metadata lists,
 * of whichever resource (Gemini CLI does). RFC 6749 3.3 lets us pass over what is another's; the
 * answer says what it got.
 */
static struct scope_set of_chosen(struct arena *arena, const struct authority *authority,
				  const struct scope_choice *choice, struct scope_set said)
{
	struct str *names = NEW_ARRAY(arena, struct str, said.count);
	struct scope_set own = { .names = names };

	for (size_t i = 0; i < said.count; i++)
		if (authority_offers(authority, choice->chosen, said.names[i]))
			names[own.count++] = said.names[i];
	return own;
}

/* What it registered, as far as it fits this resource; without any, what the resource says. */
static struct scope_set choose_default(struct task *task, const struct authority *authority,
				       const struct scope_choice *choice)
{
	struct scope_set own;

	if (client_is_operators(choice->client))
		return default_scope(task, choice);
	own = of_chosen(&task->arena, authority, choice, choice->client->scope);
	return own.count > 0 ? own : default_scope(task, choice);
}

/*
 * offline_access is accepted and means nothing here: refresh tokens are the client's grant type's
 * affair.
 */
static struct scope_set without_offline_access(struct arena *arena, struct scope_set set)
{
	struct str *names = NEW_ARRAY(arena, struct str, set.count);
	struct scope_set left = { .names = names };

	for (size_t i = 0; i < set.count; i++)
		if (!str_equals(set.names[i], STR("offline_access")))
			names[left.count++] = set.names[i];
	return left;
}

/* Which one is said by its place: what came from outside has no place in a log. */
static enum err check_scope(struct task *task, const struct authority *authority,
			    const struct scope_choice *choice, struct scope_set asked)
{
	struct scope_set ceiling = client_ceiling(choice->client);

	for (size_t i = 0; i < asked.count; i++) {
		if (!authority_knows_scope(authority, asked.names[i]) ||
		    (client_is_operators(choice->client) &&
		     !authority_offers(authority, choice->chosen, asked.names[i])))
			return failf(task, ERR_SCOPE, "scope number %zu is none of this resource's",
				     i + 1);
		if (ceiling.count > 0 && !scope_has(ceiling, asked.names[i]))
			return failf(task, ERR_SCOPE,
				     "scope number %zu is not for this agent to ask for", i + 1);
	}
	return OK;
}

static enum err choose_scope(struct task *task, const struct authority *authority,
			     struct scope_choice *choice, struct scope_set asked)
{
	if (asked.count == 0)
		asked = choose_default(task, authority, choice);
	if (asked.count == 0)
		return fail(task, ERR_SCOPE, "scope is missing, and the resource has no default");
	TRY(check_scope(task, authority, choice, asked));
	asked = of_chosen(&task->arena, authority, choice, asked);
	if (asked.count == 0)
		return fail(task, ERR_SCOPE, "scope has nothing of this resource's");
	if (scope_text(&task->arena, asked).len > SCOPE_ASKED_MAX)
		return fail(task, ERR_SCOPE,
			    "scope is too long: each token carries it, 4 KiB at most");
	choice->asked = asked;
	return OK;
}

/* The scopes are said besides: what is asked only of one that is not, is a mistake. */
static enum err choose_details(struct task *task, struct scope_choice *choice)
{
	struct details *details = &choice->details;

	TRY(details_asked(task, choice->chosen, choice->conditions, details));
	for (size_t i = 0; i < details->count; i++)
		if (!scope_has(choice->asked, details->items[i].scope))
			return failf(
				task, ERR_DETAILS,
				"authorization_details[%zu]: the scope of its actions is not asked "
				"for",
				i);
	return OK;
}

enum err scope_choose(struct task *task, const struct authority *authority,
		      struct scope_choice *choice)
{
	struct scope_set asked;

	TRY(scope_parse(task, choice->scope, &asked));
	asked = without_offline_access(&task->arena, asked);
	TRY(choose_resource(task, authority, choice, asked));
	TRY(choose_scope(task, authority, choice, asked));
	return choose_details(task, choice);
}
