/* SPDX-License-Identifier: Apache-2.0 */
#include "model/grant.h"

#include "base/clock.h"
#include "base/task.h"

static const char *const status_names[] = { "active", "paused", "revoked", "expired" };
static const char *const risk_names[] = { "read", "write", "send", "delete" };
static const char *const mode_names[] = { "allow", "ask", "never" };

bool grant_is_paused(const struct grant *grant)
{
	return grant->paused_at != 0 || grant->operator_paused_at != 0;
}

bool grant_waits_after_restore(const struct grant *grant)
{
	return grant->restored_at != 0 && grant->paused_at == grant->restored_at;
}

enum grant_status grant_status_at(const struct grant *grant, int64_t now)
{
	if (grant->revoked_at != 0)
		return GRANT_REVOKED;
	if (grant->expires_at <= now)
		return GRANT_EXPIRED;
	return grant_is_paused(grant) ? GRANT_PAUSED : GRANT_ACTIVE;
}

struct str grant_status_name(enum grant_status status)
{
	return str_from_c(status_names[status]);
}

static bool is_there(const struct permission *permission, int64_t now)
{
	return permission->mode != MODE_NEVER && permission->expires_at > now;
}

struct scope_set grant_scopes_at(struct arena *arena, const struct grant *grant, int64_t now)
{
	struct str *names = NEW_ARRAY(arena, struct str, grant->permission_count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < grant->permission_count; i++)
		if (is_there(&grant->permissions[i], now))
			names[set.count++] = grant->permissions[i].scope;
	return set;
}

const struct permission *grant_permission_at(const struct grant *grant, struct str scope,
					     int64_t now)
{
	for (size_t i = 0; i < grant->permission_count; i++)
		if (str_equals(grant->permissions[i].scope, scope) &&
		    is_there(&grant->permissions[i], now))
			return &grant->permissions[i];
	return NULL;
}

static bool find_name(const char *const *names, size_t count, struct str name, size_t *ret_at)
{
	for (size_t i = 0; i < count; i++) {
		if (str_equals(name, str_from_c(names[i]))) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

struct str risk_name(enum risk risk)
{
	return str_from_c(risk_names[risk]);
}

enum err risk_from_name(struct task *task, struct str name, enum risk *ret_risk)
{
	size_t at;

	if (!find_name(risk_names, COUNT_OF(risk_names), name, &at))
		return fail(task, ERR_REQUEST, "a risk is one of read, write, send, delete");
	*ret_risk = (enum risk)at;
	return OK;
}

struct str mode_name(enum mode mode)
{
	return str_from_c(mode_names[mode]);
}

enum err mode_from_name(struct task *task, struct str name, enum mode *ret_mode)
{
	size_t at;

	if (!find_name(mode_names, COUNT_OF(mode_names), name, &at))
		return fail(task, ERR_REQUEST, "a mode is one of allow, ask, never");
	*ret_mode = (enum mode)at;
	return OK;
}

enum err duration_end(struct task *task, struct str duration, int64_t now, int64_t *ret_expires_at)
{
	if (str_equals(duration, STR("1h")))
		*ret_expires_at = now + HOUR_MS;
	else if (str_equals(duration, STR("today")))
		*ret_expires_at = (now / DAY_MS + 1) * DAY_MS;
	else if (str_equals(duration, STR("7d")))
		*ret_expires_at = now + 7 * DAY_MS;
	else if (str_equals(duration, STR("30d")))
		*ret_expires_at = now + 30 * DAY_MS;
	else if (str_equals(duration, STR("until-revoked")))
		*ret_expires_at = NEVER;
	else
		return fail(task, ERR_REQUEST,
			    "duration is one of 1h, today, 7d, 30d, until-revoked");
	return OK;
}
