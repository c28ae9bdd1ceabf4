/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/decide.h"

#include "authority/details.h"

static struct verdict deny(struct str reason)
{
	return (struct verdict){ .decision = DECISION_DENY, .reason = reason };
}

/* Why nothing at all is allowed any more; "" when something may be. */
static struct str dead_reason(const struct standing *standing, const struct wish *wish, int64_t now)
{
	const struct grant *grant = &standing->grant;
	const struct family *family = &standing->family;
	const struct client *client = &standing->client;

	if (standing->user.status != USER_ACTIVE)
		return STR("user_disabled");
	if (client->status != CLIENT_ACTIVE)
		return STR("client_disabled");
	if (wish->has_token && wish->token_issued_at <= client->not_before)
		return STR("client_disabled");
	if (grant->revoked_at != 0)
		return str_equals(grant->revoked_by, STR("operator")) ? STR("revoked_by_operator")
								      : STR("revoked_by_user");
	if (family->id.at != NULL && family->revoked_at != 0)
		return str_is_empty(family->revoked_why) ? STR("revoked") : family->revoked_why;
	if (grant->expires_at <= now)
		return STR("expired");
	if (family->id.at != NULL && family->idle_expires_at <= now)
		return STR("idle");
	if (grant_is_paused(grant) || (family->id.at != NULL && family->paused_at != 0))
		return STR("paused");
	if (wish->delegation != NULL)
		return delegation_dead_reason(wish->delegation, client, grant->delegates,
					      wish->token_issued_at);
	return STR("");
}

/* The rows must be of one another: a forged or mixed-up question never exceeds a grant. */
static bool belongs_together(const struct standing *standing, const struct wish *wish)
{
	const struct grant *grant = &standing->grant;
	const struct family *family = &standing->family;

	if (!str_equals(grant->user_id, standing->user.id) ||
	    !str_equals(grant->client_id, standing->client.id) ||
	    !str_equals(grant->resource, wish->resource))
		return false;
	return family->id.at == NULL || (str_equals(family->grant_id, grant->id) &&
					 str_equals(family->client_id, grant->client_id) &&
					 str_equals(family->user_id, grant->user_id));
}

static struct scope_set below_ceiling(struct arena *arena, struct scope_set set,
				      const struct client *client)
{
	struct scope_set ceiling = client_ceiling(client);

	return ceiling.count == 0 ? set : scope_intersect(arena, set, ceiling);
}

/*
 * Everything that may be had: grant now, family, the operator's ceilings of the client and of each
 * that acts through it, the resource of today, the token's own.
 */
static struct scope_set available(struct arena *arena, const struct standing *standing,
				  const struct wish *wish, int64_t now)
{
	struct scope_set set = grant_scopes_at(arena, &standing->grant, now);

	if (standing->family.id.at != NULL)
		set = scope_intersect(arena, set, standing->family.ceiling);
	set = below_ceiling(arena, set, &standing->client);
	for (size_t i = 0; wish->delegation != NULL && i < wish->delegation->act.depth; i++)
		set = below_ceiling(arena, set, &wish->delegation->clients[i]);
	if (wish->has_token)
		set = scope_intersect(arena, set, wish->token_scope);
	return scope_intersect(arena, set, wish->offered);
}

/*
 * The children that the parents allow: where they speak of the scope, one of them alone must cover
 * it. *ret_all: were these all?
 */
static struct details covered(struct arena *arena, const struct details *parents,
			      const struct details *children, bool *ret_all)
{
	struct detail *items = NEW_ARRAY(arena, struct detail, children->count);
	struct details kept = { children->resource, items, 0 };

	for (size_t i = 0; i < children->count; i++)
		if (!details_restrict(parents, children->items[i].scope) ||
		    details_cover(parents, &children->items[i]))
			items[kept.count++] = children->items[i];
	*ret_all = kept.count == children->count;
	return kept;
}

/* Of a scope that something speaks of but whose elements are gone, nothing is left. */
static struct scope_set without_emptied(struct arena *arena, struct scope_set set,
					const struct details *spoken, const struct details *left)
{
	struct str *names = NEW_ARRAY(arena, struct str, set.count);
	struct scope_set kept = { .names = names };

	for (size_t i = 0; i < set.count; i++)
		if (!details_restrict(spoken, set.names[i]) || details_restrict(left, set.names[i]))
			names[kept.count++] = set.names[i];
	return kept;
}

/* One more who says what of the scopes only: what both allow, in the words of the narrower one. */
static bool narrow(struct arena *arena, const struct details *by, struct details *details,
		   struct scope_set *set)
{
	struct scope_set within = *set;
	struct details both, others;
	struct detail *items;
	bool is_all;

	if (by->count == 0)
		return true;
	both = covered(arena, details, by, &is_all);
	*set = without_emptied(arena, within, by, &both);
	others = details_within(arena, details, *set);
	items = NEW_ARRAY(arena, struct detail, both.count + others.count);
	details->resource = by->resource;
	details->items = items;
	details->count = 0;
	for (size_t i = 0; i < others.count; i++)
		if (!details_restrict(by, others.items[i].scope))
			items[details->count++] = others.items[i];
	for (size_t i = 0; i < both.count; i++)
		items[details->count++] = both.items[i];
	return is_all;
}

/*
 * What of the scopes only: the installation's own, the token's, the wish. False: more was asked
 * than there is.
 */
static bool narrow_details(struct arena *arena, const struct standing *standing,
			   const struct wish *wish, struct verdict *verdict, struct scope_set *set)
{
	const struct details *own = &standing->family.details;
	struct details details = details_today(arena, wish->target, own);
	struct details asked = details_today(arena, wish->target, &wish->details), named;
	bool is_all;

	*set = without_emptied(arena, *set, own, &details);
	if (wish->has_token) {
		struct details token = details_today(arena, wish->target, &wish->token_details);

		*set = without_emptied(arena, *set, &wish->token_details, &token);
		(void)narrow(arena, &token, &details, set);
	}
	named = details_within(arena, &asked, scope_intersect(arena, wish->scope, *set));
	is_all = named.count == wish->details.count && narrow(arena, &asked, &details, set);
	verdict->details = details;
	return is_all;
}

/* Ask if one of the scopes is; the end is that of the scope that ends first. */
static void bind_to_permissions(const struct grant *grant, struct verdict *verdict)
{
	for (size_t i = 0; i < grant->permission_count; i++) {
		const struct permission *permission = &grant->permissions[i];

		if (!scope_has(verdict->scope, permission->scope))
			continue;
		if (permission->mode == MODE_ASK)
			verdict->decision = DECISION_ASK;
		if (permission->expires_at < verdict->expires_at)
			verdict->expires_at = permission->expires_at;
	}
}

struct verdict decide(struct arena *arena, const struct standing *standing, const struct wish *wish,
		      int64_t now)
{
	struct verdict verdict = { .decision = DECISION_ALLOW,
				   .reason = STR(""),
				   .expires_at = standing->grant.expires_at };
	struct str dead = dead_reason(standing, wish, now);
	struct scope_set set;

	if (!str_is_empty(dead))
		return deny(dead);
	if (!belongs_together(standing, wish))
		return deny(STR("resource"));
	set = available(arena, standing, wish, now);
	if (!narrow_details(arena, standing, wish, &verdict, &set))
		return deny(STR("authorization_details"));
	if (!wish->narrow && !scope_contains(set, wish->scope))
		return deny(STR("scope"));
	verdict.scope = scope_intersect(arena, wish->scope, set);
	if (verdict.scope.count == 0)
		return deny(STR("scope"));
	verdict.details = details_within(arena, &verdict.details, verdict.scope);
	/* asked and granted, each short enough alone: no token carries both */
	if (!details_fit(arena, &verdict.details))
		return deny(STR("authorization_details"));
	bind_to_permissions(&standing->grant, &verdict);
	return verdict;
}
