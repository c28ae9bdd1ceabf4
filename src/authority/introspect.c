/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7662: what a caller may know of a token. Everything it may not know looks the same: not active. */
#include "authority/events.h"
#include "authority/issue.h"
#include "authority/throttle.h"
#include "authority/verify.h"
#include "store/families.h"

/* A log-in at somebody else's door shows in the person's activity, once a minute per installation. */
static void note_use(struct task *task, const struct authority *authority,
		     const struct access *access)
{
	struct event event;

	if (access->grant_id.at == NULL ||
	    !throttle_count(task, authority->throttle, THROTTLE_ACCESS_EVENT, access->family_id))
		return;
	event = event_new(task, STR("resource.used"), STR("agent"));
	event.user_id = access->sub;
	event.client_id = access->client_id;
	event.grant_id = access->grant_id;
	event.family_id = access->family_id;
	event.resource = access->audience;
	event_record(task, authority, &event);
}

static enum err introspect_refresh_token(struct task *task, const struct authority *authority,
					 struct str text, const struct client *client,
					 struct access *access)
{
	struct refresh_token token;
	struct standing *standing = &access->standing;
	struct db *db = NULL;
	struct wish wish = { .narrow = true };
	struct verdict verdict;

	TRY(refresh_token_parse(task, text, &token));
	TRY(store_reader(task, authority->store, &db));
	TRY(standing_find_by_family(task, db, token.family_id, standing));
	TRY(refresh_token_check(task, authority, &token, &standing->family));
	if (!str_equals(standing->family.client_id, client->id) ||
	    token.generation != standing->family.generation)
		return fail(task, ERR_TOKEN, "not the caller's current refresh token");
	wish.scope = standing->family.ceiling;
	wish.resource = standing->grant.resource;
	wish.offered = issue_offered(task, authority, wish.resource);
	verdict = decide(&task->arena, standing, &wish, task->now);
	if (verdict.decision == DECISION_DENY)
		return fail(task, ERR_TOKEN, "the refresh token does not stand");
	access->client_id = client->id;
	access->sub = standing->user.id;
	access->username = standing->user.username;
	access->scope = verdict.scope;
	access->grant_id = standing->grant.id;
	access->family_id = standing->family.id;
	access->issued_at = standing->family.last_used_at;
	access->expires_at = standing->family.idle_expires_at < verdict.expires_at
				     ? standing->family.idle_expires_at
				     : verdict.expires_at;
	return OK;
}

static enum err introspect_access_token(struct task *task, const struct authority *authority,
					struct str text, const struct resource *resource,
					const struct client *client, struct access *access)
{
	TRY(access_token_verify(task, authority, text, access));
	if (resource != NULL && !str_equals(access->audience, resource->uri))
		return fail(task, ERR_TOKEN, "the token is for another resource");
	if (resource == NULL && !str_equals(access->client_id, client->id))
		return fail(task, ERR_TOKEN, "the token is another client's");
	if (resource != NULL)
		note_use(task, authority, access);
	return OK;
}

/* Failures of ours must be told apart from a token that does not stand. */
static bool is_our_failure(enum err err)
{
	return err >= ERR_BUSY;
}

enum err token_introspect(struct task *task, const struct authority *authority, struct str token,
			  const struct resource *resource, const struct client *client,
			  bool *ret_active, struct access *ret_access)
{
	struct access *access = NEW(&task->arena, struct access);
	enum err err;

	if (!str_starts_with(token, STR("grt_")))
		err = introspect_access_token(task, authority, token, resource, client, access);
	else if (resource == NULL)
		err = introspect_refresh_token(task, authority, token, client, access);
	else
		err = fail(task, ERR_TOKEN, "a resource server does not see refresh tokens");
	if (is_our_failure(err))
		return err;
	task_forgive(task);
	*ret_active = err == OK;
	if (err == OK)
		*ret_access = *access;
	return OK;
}
