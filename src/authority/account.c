/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/account.h"

#include "authority/events.h"
#include "authority/stop.h"
#include "base/tally.h"
#include "crypto/random.h"
#include "store/derivations.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/users.h"

#define DETAILS_MAX 4096

/* One act on one grant: prepared with reads, written in one transaction with its event. */
struct act {
	const struct authority *authority;
	const struct actor *actor;
	struct grant grant;
	struct user user;
	struct str scope;
	struct str family_id;
	struct str sub_agent;
	int64_t expires_at;
	int64_t stopped_at; /* of the sub-agent: 0 lets it go on */
	bool changed;
	struct event event;
};

static enum err open_act(struct task *task, const struct authority *authority,
			 const struct actor *actor, struct str grant_id, struct act **ret_act)
{
	struct act *act = NEW(&task->arena, struct act);
	struct db *db = NULL;

	act->authority = authority;
	act->actor = actor;
	if (!id_is_valid(grant_id, "gra_"))
		return fail(task, ERR_NOT_FOUND, "there is no such grant");
	TRY(store_reader(task, authority->store, &db));
	TRY(grant_find(task, db, grant_id, &act->grant));
	if (actor->user_id.at != NULL && !str_equals(act->grant.user_id, actor->user_id))
		return fail(task, ERR_NOT_FOUND, "there is no such grant");
	TRY(user_find(task, db, act->grant.user_id, &act->user));
	*ret_act = act;
	return OK;
}

static enum err name_event(struct task *task, struct act *act, struct str kind)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str personal;

	act->event = event_new(task, kind, act->actor->kind);
	act->event.user_id = act->grant.user_id;
	act->event.client_id = act->grant.client_id;
	act->event.grant_id = act->grant.id;
	act->event.family_id = act->family_id;
	act->event.resource = act->grant.resource;
	act->event.request_id = act->actor->request_id;
	if (str_is_empty(act->actor->address))
		return OK;
	json_open_object(&json);
	json_member_str(&json, "address", act->actor->address);
	json_close(&json);
	TRY(buf_finish(&buf, &personal));
	return event_seal(task, act->authority, &act->user, personal, &act->event);
}

static bool is_operator(const struct actor *actor)
{
	return actor->user_id.at == NULL;
}

/* Everybody pauses for themselves, and takes back only that. */
static enum err set_paused(struct task *task, struct db *db, const struct act *act,
			   int64_t paused_at)
{
	if (is_operator(act->actor))
		return grant_set_operator_paused(task, db, act->grant.id, paused_at, task->now);
	return grant_set_paused(task, db, act->grant.id, paused_at, task->now);
}

static bool is_paused_by_actor(const struct act *act)
{
	if (is_operator(act->actor))
		return act->grant.operator_paused_at != 0;
	return act->grant.paused_at != 0;
}

static enum err write_pause(struct task *task, struct db *db, void *arg)
{
	struct act *act = arg;

	TRY(set_paused(task, db, act, task->now));
	TRY(stop_queue(task, db, act->authority, &act->grant, act->user.username));
	return event_insert(task, db, &act->event);
}

enum err account_pause(struct task *task, const struct authority *authority,
		       const struct actor *actor, struct str grant_id)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, grant_id, &act));
	if (is_paused_by_actor(act) && act->grant.revoked_at == 0)
		return OK;
	TRY(name_event(task, act, STR("grant.paused")));
	return store_stop(task, authority->store, write_pause, act);
}

static enum err write_resume(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;

	TRY(set_paused(task, db, act, 0));
	return event_insert(task, db, &act->event);
}

static enum err refuse_resume(struct task *task, const struct actor *actor)
{
	if (is_operator(actor))
		return fail(task, ERR_FORBIDDEN,
			    "the person paused it: only the person lets it go on");
	return fail(task, ERR_FORBIDDEN, "the operator paused it: only the operator lets it go on");
}

enum err account_resume(struct task *task, const struct authority *authority,
			const struct actor *actor, struct str grant_id)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, grant_id, &act));
	if (!is_paused_by_actor(act) && act->grant.revoked_at == 0)
		return grant_is_paused(&act->grant) ? refuse_resume(task, actor) : OK;
	TRY(name_event(task, act, STR("grant.resumed")));
	return store_write(task, authority->store, write_resume, act);
}

static enum err write_revoke(struct task *task, struct db *db, void *arg)
{
	struct act *act = arg;

	TRY(grant_revoke(task, db, act->grant.id, task->now, act->actor->kind, &act->changed));
	if (!act->changed)
		return OK;
	TRY(stop_queue(task, db, act->authority, &act->grant, act->user.username));
	return event_insert(task, db, &act->event);
}

static void count_end(const struct task *task, const struct act *act)
{
	if (act->changed)
		tally_add(task, is_operator(act->actor) ? TALLY_REVOKED_BY_OPERATOR
							: TALLY_REVOKED_BY_PERSON);
}

enum err account_revoke(struct task *task, const struct authority *authority,
			const struct actor *actor, struct str grant_id)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, grant_id, &act));
	TRY(name_event(task, act, STR("grant.revoked")));
	TRY(store_stop(task, authority->store, write_revoke, act));
	count_end(task, act);
	return OK;
}

static enum err write_end(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;

	TRY(grant_set_end(task, db, act->grant.id, act->scope, act->expires_at, task->now));
	return event_insert(task, db, &act->event);
}

static enum err describe_end(struct task *task, struct act *act, struct str duration)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "duration", duration);
	if (act->expires_at != NEVER)
		json_member_str(&json, "expires_at", clock_format(&task->arena, act->expires_at));
	if (act->scope.at != NULL)
		json_member_str(&json, "scope", act->scope);
	json_close(&json);
	return buf_finish(&buf, &act->event.details);
}

enum err account_set_end(struct task *task, const struct authority *authority,
			 const struct actor *actor, struct str grant_id, struct str scope,
			 struct str duration)
{
	int64_t longest = authority_config(authority)->grant_max_ms;
	struct act *act = NULL;

	if (is_operator(actor))
		return fail(task, ERR_FORBIDDEN, "only the person says how long");
	TRY(open_act(task, authority, actor, grant_id, &act));
	TRY(duration_end(task, duration, task->now, &act->expires_at));
	if (longest != 0 && act->expires_at > task->now + longest)
		return fail(task, ERR_REQUEST, "longer than your organisation allows");
	act->scope = scope;
	TRY(name_event(task, act, STR("grant.end_changed")));
	TRY(describe_end(task, act, duration));
	return store_write(task, authority->store, write_end, act);
}

static enum err write_remove(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;

	TRY(grant_remove_permission(task, db, act->grant.id, act->scope, task->now));
	return event_insert(task, db, &act->event);
}

/* What may do nothing at all is no agent any more. */
static bool is_only_permission(const struct grant *grant, struct str scope)
{
	return grant->permission_count == 1 && str_equals(grant->permissions[0].scope, scope);
}

enum err account_remove_scope(struct task *task, const struct authority *authority,
			      const struct actor *actor, struct str grant_id, struct str scope)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, grant_id, &act));
	if (is_only_permission(&act->grant, scope))
		return account_revoke(task, authority, actor, grant_id);
	act->scope = scope;
	TRY(name_event(task, act, STR("grant.scope_removed")));
	json_open_object(&json);
	json_member_str(&json, "scope", scope);
	json_close(&json);
	TRY(buf_finish(&buf, &act->event.details));
	return store_stop(task, authority->store, write_remove, act);
}

static enum err write_end_family(struct task *task, struct db *db, void *arg)
{
	struct act *act = arg;
	struct family family = { 0 };

	TRY(family_find(task, db, act->family_id, &family));
	if (!str_equals(family.grant_id, act->grant.id))
		return fail(task, ERR_NOT_FOUND, "there is no such installation");
	TRY(family_revoke(task, db, act->family_id, task->now, STR("revoked_by_user"),
			  &act->changed));
	if (!act->changed)
		return OK;
	TRY(stop_queue(task, db, act->authority, &act->grant, act->user.username));
	return event_insert(task, db, &act->event);
}

enum err account_end_family(struct task *task, const struct authority *authority,
			    const struct actor *actor, struct str grant_id, struct str family_id)
{
	struct act *act = NULL;

	TRY(open_act(task, authority, actor, grant_id, &act));
	if (!id_is_valid(family_id, "fam_"))
		return fail(task, ERR_NOT_FOUND, "there is no such installation");
	act->family_id = family_id;
	TRY(name_event(task, act, STR("family.ended")));
	act->event.details = STR("{\"why\":\"revoked_by_user\"}");
	TRY(store_stop(task, authority->store, write_end_family, act));
	count_end(task, act);
	return OK;
}

static enum err write_sub_agent(struct task *task, struct db *db, void *arg)
{
	const struct act *act = arg;
	struct family family = { 0 };

	/* the row first: an exchange sees that it was stopped, or what it gave ends with it */
	TRY(family_take(task, db, act->family_id, &family));
	if (!str_equals(family.grant_id, act->grant.id))
		return fail(task, ERR_NOT_FOUND, "there is no such installation");
	TRY(sub_agent_set_stopped(task, db, &family, act->sub_agent, act->stopped_at, task->now));
	if (act->stopped_at != 0)
		TRY(stop_queue(task, db, act->authority, &act->grant, act->user.username));
	return event_insert(task, db, &act->event);
}

static enum err open_sub_agent(struct task *task, const struct authority *authority,
			       const struct actor *actor, const struct sub_agent_named *named,
			       struct act **ret_act)
{
	TRY(open_act(task, authority, actor, named->grant_id, ret_act));
	if (!id_is_valid(named->family_id, "fam_"))
		return fail(task, ERR_NOT_FOUND, "there is no such installation");
	(*ret_act)->family_id = named->family_id;
	(*ret_act)->sub_agent = named->path;
	return OK;
}

static enum err describe_sub_agent(struct task *task, struct act *act)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "actor", act->sub_agent);
	json_close(&json);
	return buf_finish(&buf, &act->event.details);
}

enum err account_stop_sub_agent(struct task *task, const struct authority *authority,
				const struct actor *actor, const struct sub_agent_named *named)
{
	struct act *act = NULL;

	TRY(open_sub_agent(task, authority, actor, named, &act));
	act->stopped_at = task->now;
	TRY(name_event(task, act, STR("sub_agent.stopped")));
	TRY(describe_sub_agent(task, act));
	return store_stop(task, authority->store, write_sub_agent, act);
}

enum err account_allow_sub_agent(struct task *task, const struct authority *authority,
				 const struct actor *actor, const struct sub_agent_named *named)
{
	struct act *act = NULL;

	TRY(open_sub_agent(task, authority, actor, named, &act));
	TRY(name_event(task, act, STR("sub_agent.allowed")));
	TRY(describe_sub_agent(task, act));
	return store_write(task, authority->store, write_sub_agent, act);
}

struct pausing {
	const struct authority *authority;
	const struct actor *actor;
	struct user user;
	size_t count;
};

static enum err note_pause(struct task *task, struct db *db, const struct pausing *pausing,
			   const struct grant *grant)
{
	struct act *act = NEW(&task->arena, struct act);

	act->authority = pausing->authority;
	act->actor = pausing->actor;
	act->grant = *grant;
	act->user = pausing->user;
	TRY(name_event(task, act, STR("grant.paused")));
	TRY(stop_queue(task, db, act->authority, &act->grant, act->user.username));
	return event_insert(task, db, &act->event);
}

/* All or none: who presses Stop is not left with half of it. */
static enum err write_pause_all(struct task *task, struct db *db, void *arg)
{
	struct pausing *pausing = arg;
	struct grant *grants = NULL;

	TRY(grant_pause_all(task, db, pausing->user.id, task->now, &grants, &pausing->count));
	for (size_t i = 0; i < pausing->count; i++)
		TRY(note_pause(task, db, pausing, &grants[i]));
	return OK;
}

enum err account_pause_all(struct task *task, const struct authority *authority,
			   const struct actor *actor, int64_t *ret_paused)
{
	struct pausing *pausing = NEW(&task->arena, struct pausing);
	struct db *db = NULL;

	pausing->authority = authority;
	pausing->actor = actor;
	TRY(store_reader(task, authority->store, &db));
	TRY(user_find(task, db, actor->user_id, &pausing->user));
	TRY(store_stop(task, authority->store, write_pause_all, pausing));
	*ret_paused = (int64_t)pausing->count;
	return OK;
}
