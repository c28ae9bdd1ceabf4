/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/succession.h"

enum rotation family_judge(const struct standing *standing, int64_t generation, int64_t now)
{
	const struct family *family = &standing->family;
	enum rotation rotation = rotation_judge(family, generation, now);

	if (rotation != ROTATION_FROM_FUTURE || standing->grant.restored_at == 0)
		return rotation;
	return family->last_used_at < standing->grant.restored_at ? ROTATION_ADVANCE
								  : ROTATION_REUSED;
}

bool family_is_constrained(const struct token_wish *wish, const struct family *family)
{
	if (wish->client.auth == CLIENT_AUTH_PRIVATE_KEY)
		return true;
	return family->key_thumbprint.at != NULL && str_equals(family->key_thumbprint, wish->jkt);
}

/* Never back to an older root key, whatever this node thinks is the current one. */
static uint32_t root_of_successor(const struct succession *succession, const struct family *from)
{
	uint32_t number = succession->root_number;

	if (from->root_number > number)
		number = from->root_number;
	return succession->token->root_number > number ? succession->token->root_number : number;
}

static void advance(const struct task *task, const struct succession *succession,
		    const struct family *from, struct family *next)
{
	next->generation = succession->token->generation; /* may be above the row's: judge */
	rotation_advance(next, task->now);
	next->root_number = root_of_successor(succession, from);
	if (next->root_number == from->root_number)
		return;
	next->root_since = next->generation;
	next->root_before = succession->token->root_number;
}

static bool stays(const struct token_wish *wish, const struct succession *succession,
		  const struct family *from)
{
	return wish->client.refresh_kept_at != 0 && family_is_constrained(wish, from) &&
	       succession->token->generation == from->generation &&
	       root_of_successor(succession, from) == from->root_number;
}

struct family family_successor(const struct task *task, const struct token_wish *wish,
			       const struct succession *succession, const struct family *from)
{
	struct family next = *from;

	if (!stays(wish, succession, from))
		advance(task, succession, from, &next);
	if (from->key_thumbprint.at == NULL)
		next.key_thumbprint = wish->jkt;
	next.last_used_at = task->now;
	next.idle_expires_at = task->now + (from->idle_expires_at - from->last_used_at);
	return next;
}
