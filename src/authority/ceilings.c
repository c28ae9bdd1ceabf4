/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/ceilings.h"

#include "model/family.h"
#include "store/families.h"
#include "store/grants.h"

static int64_t end_of(const struct grant *grant, struct str scope)
{
	for (size_t i = 0; i < grant->permission_count; i++)
		if (str_equals(grant->permissions[i].scope, scope))
			return grant->permissions[i].expires_at;
	return 0;
}

/* The scopes that come back or last longer, for some of their operations. */
static struct scope_set lengthened(struct arena *arena, const struct grant *now,
				   const struct grant *next, const struct details *details)
{
	struct str *names = NEW_ARRAY(arena, struct str, next->permission_count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < next->permission_count; i++) {
		const struct permission *permission = &next->permissions[i];

		if (details_restrict(details, permission->scope) &&
		    end_of(now, permission->scope) < permission->expires_at)
			names[set.count++] = permission->scope;
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
	scopes = lengthened(&task->arena, &now, next, details);
	for (size_t i = 0; i < count && scopes.count > 0; i++)
		TRY(lower_one(task, db, &families[i], details, scopes));
	return OK;
}
