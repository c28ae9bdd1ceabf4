/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 7662: what a caller may know of a token. Everything it may not know looks the same: not
 * active.
 */
#include "authority/aside.h"
#include "authority/events.h"
#include "authority/issue.h"
#include "authority/throttle.h"
#include "authority/verify.h"
#include "base/json.h"
#include "store/derivations.h"
#include "store/events.h"
#include "store/families.h"

#define DETAILS_MAX 4096

/* Who it was, when it was not the installation itself. */
static enum err describe_actor(struct task *task, struct str sub_agent, struct str *ret_details)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	*ret_details = STR_NONE;
	if (str_is_empty(sub_agent))
		return OK;
	json_open_object(&json);
	json_member_str(&json, "actor", sub_agent);
	json_close(&json);
	return buf_finish(&buf, ret_details);
}

struct use {
	struct event event;
	struct str sub_agent;
};

static enum err write_use(struct task *task, struct db *db, void *arg)
{
	const struct use *use = arg;

	TRY(sub_agent_set_used(task, db, use->event.user_id, use->event.family_id, use->sub_agent,
			       use->event.at));
	return event_insert(task, db, &use->event);
}

/* Nobody waits for it either. */
static void record_use(struct task *task, const struct authority *authority,
		       const struct event *event, struct str sub_agent)
{
	struct task *aside = aside_new(task);
	struct use *use = NEW(&aside->arena, struct use);

	use->event = event_copy(&aside->arena, event);
	use->sub_agent = str_copy(&aside->arena, sub_agent);
	aside_submit(aside, authority, write_use, use);
}

/*
 * A log-in at somebody else's door shows in the person's activity, once a minute per installation
 * and sub-agent.
 */
static enum err note_use(struct task *task, const struct authority *authority,
			 const struct access *access)
{
	struct str sub_agent = act_text(&task->arena, &access->act);
	struct event event;

	if (access->grant_id.at == NULL ||
	    !throttle_count(task, authority->throttle, THROTTLE_ACCESS_EVENT,
			    STR_JOIN(&task->arena, access->family_id, STR(" "), sub_agent)))
		return OK;
	event = event_new(task, STR("resource.used"), STR("agent"));
	event.user_id = access->sub;
	event.client_id = access->standing.client.id;
	event.grant_id = access->grant_id;
	event.family_id = access->family_id;
	event.resource = access->audience;
	TRY(describe_actor(task, sub_agent, &event.details));
	if (str_is_empty(sub_agent))
		event_record(task, authority, &event);
	else
		record_use(task, authority, &event, sub_agent);
	return OK;
}

static enum err introspect_refresh_token(struct task *task, const struct authority *authority,
					 struct introspection *introspection)
{
	struct access *access = &introspection->access;
	const struct client *client = introspection->client;
	struct refresh_token token;
	struct standing *standing = &access->standing;
	struct db *db = NULL;
	struct wish wish = { .narrow = true };
	struct verdict verdict;

	TRY(refresh_token_parse(task, introspection->token, &token));
	TRY(store_reader(task, authority->store, &db));
	TRY(standing_find_by_family(task, db, token.family_id, standing));
	TRY(refresh_token_check(task, authority, &token, &standing->family));
	if (!str_equals(standing->family.client_id, client->id) ||
	    token.generation != standing->family.generation)
		return fail(task, ERR_TOKEN, "not the caller's current refresh token");
	wish.scope = standing->family.ceiling;
	wish.resource = standing->grant.resource;
	wish.offered = issue_offered(task, authority, wish.resource);
	wish.target = authority_resource(authority, wish.resource);
	verdict = decide(&task->arena, standing, &wish, task->now);
	if (verdict.decision == DECISION_DENY)
		return fail(task, ERR_TOKEN, "the refresh token does not stand");
	access->client_id = client->id;
	access->sub = standing->user.id;
	access->username = standing->user.username;
	access->scope = verdict.scope;
	access->details = verdict.details;
	access->grant_id = standing->grant.id;
	access->family_id = standing->family.id;
	access->issued_at = standing->family.last_used_at;
	access->expires_at = standing->family.idle_expires_at < verdict.expires_at
				     ? standing->family.idle_expires_at
				     : verdict.expires_at;
	return OK;
}

static enum err introspect_access_token(struct task *task, const struct authority *authority,
					struct introspection *introspection)
{
	const struct resource *resource = introspection->resource;
	struct access *access = &introspection->access;

	TRY(access_token_verify(task, authority, introspection->token, access));
	if (resource != NULL && !str_equals(access->audience, resource->uri))
		return fail(task, ERR_TOKEN, "the token is for another resource");
	/* it cannot check proofs: to it the token is no better than a stolen one */
	if (resource != NULL && access->jkt.at != NULL && !resource->takes_dpop)
		return fail(task, ERR_TOKEN, "the token is bound to a key");
	if (resource == NULL && !str_equals(access->client_id, introspection->client->id))
		return fail(task, ERR_TOKEN, "the token is another client's");
	return resource != NULL ? note_use(task, authority, access) : OK;
}

/* Failures of ours must be told apart from a token that does not stand. */
static bool is_our_failure(enum err err)
{
	return err >= ERR_BUSY;
}

enum err token_introspect(struct task *task, const struct authority *authority,
			  struct introspection *introspection)
{
	enum err err;

	if (!str_starts_with(introspection->token, STR("grt_")))
		err = introspect_access_token(task, authority, introspection);
	else if (introspection->resource == NULL)
		err = introspect_refresh_token(task, authority, introspection);
	else
		err = fail(task, ERR_TOKEN, "a resource server does not see refresh tokens");
	if (is_our_failure(err))
		return err;
	task_forgive(task);
	introspection->active = err == OK;
	return OK;
}
