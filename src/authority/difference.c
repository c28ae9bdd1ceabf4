/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/difference.h"

#include "authority/decide.h"

enum difference_proof difference_proof_of(const struct auth_request *request,
					  const struct client *client)
{
	if (auth_request_is_device(request))
		return PROOF_NONE;
	if (!client_is_public(client))
		return PROOF_CLIENT;
	return request->dpop_jkt.at != NULL ? PROOF_KEY : PROOF_NONE;
}

/* A confidential client is one party, however often it was let in. */
static bool is_who_asks(const struct difference_asked *asked, const struct family *family)
{
	switch (difference_proof_of(asked->request, &asked->now->client)) {
	case PROOF_NONE:
		return false;
	case PROOF_CLIENT:
		return true;
	case PROOF_KEY:
		break;
	}
	return family->key_thumbprint.at != NULL &&
	       str_equals(family->key_thumbprint, asked->request->dpop_jkt);
}

static struct verdict judge(struct arena *arena, const struct difference_asked *asked,
			    const struct family *family, struct scope_set scope, int64_t now)
{
	struct standing standing = *asked->now;
	struct wish wish = {
		.scope = scope,
		.narrow = true,
		.resource = asked->request->resource,
		.offered = asked->offered,
		.target = asked->target,
	};

	standing.family = *family;
	if (scope.count == 1)
		wish.details = details_within(arena, &asked->request->details, scope);
	return decide(arena, &standing, &wish, now);
}

static bool has(struct arena *arena, const struct difference_asked *asked,
		const struct family *family, struct str scope, int64_t now)
{
	struct verdict verdict = judge(arena, asked, family, (struct scope_set){ &scope, 1 }, now);

	if (verdict.decision != DECISION_ALLOW)
		return false;
	/* else all of it is asked, and only some operations were allowed */
	return details_restrict(&asked->request->details, scope) ||
	       !details_restrict(&verdict.details, scope);
}

static void add_family(struct arena *arena, const struct difference_asked *asked,
		       const struct family *family, int64_t now, struct difference *found)
{
	const struct scope_set *wanted = &asked->request->scope;
	struct verdict all = judge(arena, asked, family, family->ceiling, now);

	if (all.decision == DECISION_DENY)
		return;
	found->is_same = true;
	found->besides = scope_union(arena, found->besides, all.scope);
	for (size_t i = 0; i < wanted->count; i++)
		if (has(arena, asked, family, wanted->names[i], now))
			found->already = scope_union(arena, found->already,
						     (struct scope_set){ &wanted->names[i], 1 });
}

struct difference difference_find(struct arena *arena, const struct difference_asked *asked,
				  int64_t now)
{
	struct difference found = { 0 };

	for (size_t i = 0; i < asked->family_count; i++)
		if (is_who_asks(asked, &asked->families[i]))
			add_family(arena, asked, &asked->families[i], now, &found);
	found.besides = scope_without(arena, found.besides, asked->request->scope);
	return found;
}
