/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/ceilings.h"

#include "store/families.h"
#include "store/grants.h"
#include "store/permissions.h"

/* Has who is let do all of the scope by `before` less than `next` gives? */
static bool is_more(const struct permission *before, const struct permission *next)
{
	return before == NULL || before->mode > next->mode || before->expires_at < next->expires_at;
}

/* The scopes of which some operations come back, or last longer, or need no asking any more. */
static struct scope_set lengthened(struct arena *arena, const struct grant *now,
				   const struct grant *next, const struct details *details)
{
	struct str *names = NEW_ARRAY(arena, struct str, next->permission_count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < next->permission_count; i++) {
		const struct permission *permission = &next->permissions[i];
		struct str scope = permission->scope;

		if (details_restrict(details, scope) &&
		    is_more(grant_permission_at(now, scope, next->updated_at), permission))
			names[set.count++] = scope;
	}
	return set;
}

/* Is all that these allow of the scope, which may be all of it, allowed by one of the parents? */
static bool is_covered(const struct details *parents, const struct details *own, struct str scope)
{
	for (size_t i = 0; i < own->count; i++)
		if (str_equals(own->items[i].scope, scope) &&
		    !details_cover(parents, &own->items[i]))
			return false;
	return details_restrict(own, scope);
}

static enum err lower_one(struct task *task, struct db *db, struct family *family,
			  const struct details *details, struct scope_set scopes)
{
	struct str *names = NEW_ARRAY(&task->arena, struct str, family->ceiling.count);
	struct scope_set left = { .names = names };

	for (size_t i = 0; i < family->ceiling.count; i++) {
		struct str scope = family->ceiling.names[i];

		if (!scope_has(scopes, scope) || is_covered(details, &family->details, scope))
			names[left.count++] = scope;
	}
	if (left.count == family->ceiling.count)
		return OK;
	family->ceiling = left;
	return family_set_ceiling(task, db, family);
}

enum err ceilings_lower(struct task *task, struct db *db, const struct grant *next,
			const struct details *details)
{
	struct family *families = NULL;
	struct grant now = { 0 };
	struct scope_set scopes;
	size_t count = 0;
	enum err err;

	if (details->count == 0)
		return OK;
	err = grant_find_live(task, db, next->user_id, next->client_id, next->resource, &now);
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	TRY(family_take_all(task, db, now.id, &families, &count));
	TRY(grant_take(task, db, now.id));
	TRY(grant_find(task, db, now.id, &now));
	/* and what a code that was redeemed in between has become */
	TRY(family_take_all(task, db, now.id, &families, &count));
	scopes = lengthened(&task->arena, &now, next, details);
	for (size_t i = 0; i < count && scopes.count > 0; i++)
		TRY(lower_one(task, db, &families[i], details, scopes));
	/* codes that wait have no installation yet: none of them keeps it */
	for (size_t i = 0; i < scopes.count; i++)
		TRY(permission_begin_anew(task, db, &now, scopes.names[i]));
	return OK;
}

struct scope_set ceilings_of_code(struct arena *arena, const struct auth_request *request,
				  const struct grant *grant, int64_t now)
{
	const struct scope_set *granted = &request->granted;
	struct str *names = NEW_ARRAY(arena, struct str, granted->count);
	struct scope_set left = { .names = names };

	for (size_t i = 0; i < granted->count; i++) {
		const struct permission *permission = grant_permission_at(grant, granted->names[i],
									  now);

		if (permission != NULL && permission->since_yes <= request->yes)
			names[left.count++] = granted->names[i];
	}
	return left;
}
