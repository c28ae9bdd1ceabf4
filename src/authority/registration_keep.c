/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration_keep.h"

#include "authority/key_sets.h"
#include "authority/stop.h"
#include "base/json.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/key_sets.h"
#include "store/register_tokens.h"
#include "store/registrations.h"

#define DETAILS_MAX 512

/* What it is taken to ask for when it does not say: of what it named, what is to be had. */
static struct scope_set offered(struct task *task, const struct authority *authority,
				struct scope_set said)
{
	const struct config *config = authority_config(authority);
	struct str *names = NEW_ARRAY(&task->arena, struct str, said.count);
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < said.count; i++) {
		bool is_known = resource_find_scope(&authority->issuer_resource, said.names[i]) !=
				NULL;

		for (size_t j = 0; j < config->resource_count && !is_known; j++)
			is_known = resource_find_scope(&config->resources[j], said.names[i]) !=
				   NULL;
		if (is_known)
			names[set.count++] = said.names[i];
	}
	return set;
}

enum err registration_keep_apply(struct task *task, const struct registration_keep *keep,
				 struct client *client)
{
	const struct config *config = authority_config(keep->registering->authority);
	const struct client *said = &keep->wish.client;

	client->name = said->name.at == NULL ? client->id : said->name;
	client->auth = said->auth;
	client->jwks = said->jwks;
	client->jwks_uri = said->jwks_uri;
	client->auth_alg = said->auth_alg;
	/* what it must, by its own word or the operator's, an update ends not */
	if (client->dpop_bound_at == 0 && client->dpop_set_at == 0)
		client->dpop_bound_at = said->dpop_bound_at;
	if (client->par_required_at == 0 && client->par_set_at == 0)
		client->par_required_at = said->par_required_at;
	client->redirect_uris = said->redirect_uris;
	client->redirect_count = said->redirect_count;
	client->grant_types = said->grant_types;
	client->scope = offered(task, keep->registering->authority, said->scope);
	if (client_check(task, client, config->redirect_schemes, config->redirect_scheme_count) !=
	    OK)
		return ERR_METADATA; /* the reason is noted */
	return OK;
}

/*
 * A stranger has nothing fetched: the keys of such an agent are read when a person who has signed
 * in is asked about it. Of one that came with the operator's token, or that somebody allowed
 * something, they are read now.
 */
static enum err want_keys(struct task *task, struct db *db, const struct registration_keep *keep,
			  const struct registration *registration)
{
	bool is_stranger = registration->register_token.at == NULL &&
			   registration->unused_since != 0;

	if (!is_stranger)
		return key_set_want_own(task, db, &keep->client);
	if (key_set_comes_too_late(authority_config(keep->registering->authority), &keep->client))
		return fail(task, ERR_METADATA,
			    "jwks_uri: this client has to push its requests before a person is "
			    "asked, and until then nobody reads keys that are elsewhere; send them "
			    "as jwks, or do without require_pushed_authorization_requests");
	return key_set_want(task, db, keep->client.id, keep->client.jwks_uri, 0);
}

/*
 * So many may be unused, and no more: then the one that waits longest gives way. So who registers
 * as many as they like takes nobody's place but that of others who never came back.
 */
static enum err make_room(struct task *task, struct db *db, struct registration_keep *keep)
{
	const struct config *config = authority_config(keep->registering->authority);
	int64_t before = task->now - REGISTRATION_IN_HANDS_MS, count = 0;
	struct registration *list = NULL;
	size_t found = 0;
	bool is_gone = false;

	TRY(registration_count_unused(task, db, config->registrations_max, &count));
	if (count < config->registrations_max)
		return OK;
	TRY(registration_list_unused(task, db, before, 1, &list, &found));
	if (found > 0)
		TRY(registration_remove(task, db, list[0].client_id, before, &is_gone));
	if (!is_gone)
		return fail(task, ERR_THROTTLED,
			    "too many registrations wait for their first use; try again later");
	keep->gone = list[0].client_id;
	return OK;
}

enum err registration_keep_describe(struct task *task, const struct registration_keep *keep,
				    struct str *ret_details)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "auth", client_auth_name(keep->client.auth));
	if (keep->registration.register_token.at != NULL)
		json_member_str(&json, "register_token", keep->registration.register_token);
	json_close(&json);
	return buf_finish(&buf, ret_details);
}

enum err registration_keep_new(struct task *task, struct db *db, void *arg)
{
	struct registration_keep *keep = arg;
	struct event event = keep->event;

	keep->gone = STR_NONE; /* this may run again */
	if (keep->token_hash.at != NULL)
		TRY(register_token_spend(task, db, keep->token_hash, task->now,
					 &keep->registration.register_token));
	TRY(make_room(task, db, keep));
	TRY(client_insert(task, db, &keep->client));
	TRY(registration_insert(task, db, &keep->registration));
	TRY(want_keys(task, db, keep, &keep->registration));
	TRY(registration_keep_describe(task, keep, &event.details));
	return event_insert(task, db, &event);
}

enum err registration_check_active(struct task *task, const struct client *client)
{
	if (client->status != CLIENT_ACTIVE)
		return fail(task, ERR_FORBIDDEN, "the operator has disabled this client");
	return OK;
}

/* What is the operator's to say stays as it is now, not as it was when the request came. */
static enum err renew(struct task *task, struct db *db, struct registration_keep *keep)
{
	struct client client;

	TRY(client_find(task, db, keep->client.id, &client));
	TRY(registration_check_active(task, &client));
	TRY(registration_keep_apply(task, keep, &client));
	if (!client_has_secret(&client) || client.secret_hash.at == NULL)
		client.secret_hash = keep->client.secret_hash;
	keep->client = client;
	return client_update(task, db, &client);
}

enum err registration_keep_change(struct task *task, struct db *db, void *arg)
{
	struct registration_keep *keep = arg;
	struct registration now;

	TRY(registration_update(task, db, keep->token_hash, &keep->registration));
	TRY(registration_find(task, db, keep->client.id, &now));
	TRY(renew(task, db, keep));
	TRY(want_keys(task, db, keep, &now));
	/* what nobody uses opens nothing in any state, and strangers could fill the disk with it */
	if (now.unused_since != 0)
		return OK;
	client_note_replaced(task, db, keep->client.id);
	return event_insert(task, db, &keep->event);
}

enum err registration_keep_end(struct task *task, struct db *db, void *arg)
{
	const struct registration_keep *keep = arg;
	struct str id = keep->client.id;
	bool is_shut;

	TRY(registration_end(task, db, id, keep->token_hash, task->now));
	/* one that nobody allowed anything keeps its place for its hour, and is on no record */
	TRY(registration_shut(task, db, id, task->now, &is_shut));
	if (is_shut)
		return OK;
	TRY(client_set_disabled(task, db, id, task->now, task->now));
	TRY(stop_end_client(task, db, id));
	return event_insert(task, db, &keep->event);
}
