/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/ceilings.h"

#include "base/json.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"

#define EVENT_DETAILS_MAX (32 * 1024)

static const struct permission *find_permission(const struct grant *grant, struct str scope)
{
	for (size_t i = 0; i < grant->permission_count; i++)
		if (str_equals(grant->permissions[i].scope, scope))
			return &grant->permissions[i];
	return NULL;
}

/* The scopes that come back or last longer, for some of their operations. */
static struct scope_set lengthened(struct arena *arena, const struct grant *now,
				   const struct grant *next, const struct details *details)
{
	struct str *names = NEW_ARRAY(arena, struct str, next->permission_count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < next->permission_count; i++) {
		const struct permission *permission = &next->permissions[i];
		const struct permission *before = find_permission(now, permission->scope);

		if (details_restrict(details, permission->scope) &&
		    (before == NULL || before->expires_at < permission->expires_at))
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
	/* and what a code that was redeemed in between has become */
	TRY(family_take_all(task, db, now.id, &families, &count));
	scopes = lengthened(&task->arena, &now, next, details);
	for (size_t i = 0; i < count && scopes.count > 0; i++)
		TRY(lower_one(task, db, &families[i], details, scopes));
	return OK;
}

/* What of a scope only the yes allowed on which the permission rests now. */
static enum err read_allowed(struct task *task, struct db *db, const struct permission *permission,
			     struct details *ret_allowed)
{
	CLEANUP(json_unref) json_t *said = NULL;
	struct event event = { 0 };
	struct str text = STR_NONE;
	const json_t *list;
	enum err err;

	*ret_allowed = (struct details){ 0 };
	err = event_find(task, db, permission->consent_event, &event);
	if (err == ERR_NOT_FOUND) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	if (event.details.at == NULL)
		return OK;
	TRY(json_parse(task, event.details, EVENT_DETAILS_MAX, &said));
	list = json_object_get(said, "authorization_details");
	if (list == NULL)
		return OK;
	TRY(json_print(task, list, DETAILS_KEPT_MAX, &text));
	return details_read(task, text, ret_allowed);
}

enum err ceilings_of_code(struct task *task, struct db *db, const struct auth_request *request,
			  const struct grant *grant, struct family *family)
{
	const struct scope_set *granted = &request->granted;
	struct str *names = NEW_ARRAY(&task->arena, struct str, granted->count);
	struct scope_set left = { .names = names };

	for (size_t i = 0; i < granted->count; i++) {
		struct str scope = granted->names[i];
		const struct permission *permission = find_permission(grant, scope);
		struct details allowed = { 0 };

		/* another yes since */
		if (permission != NULL && permission->granted_at > request->decided_at)
			TRY(read_allowed(task, db, permission, &allowed));
		if (!details_restrict(&allowed, scope) ||
		    is_covered(&allowed, &family->details, scope))
			names[left.count++] = scope;
	}
	family->ceiling = left;
	return OK;
}
