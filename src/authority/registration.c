/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration.h"

#include "authority/events.h"
#include "authority/key_sets.h"
#include "authority/registration_keep.h"
#include "authority/throttle_shared.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "http/address.h"
#include "store/clients.h"
#include "store/register_tokens.h"
#include "store/registrations.h"

#define SECRET_BYTES 32

static struct str random_secret(struct arena *arena, struct str prefix)
{
	char random[SECRET_BYTES];

	random_bytes(random, sizeof(random));
	return STR_JOIN(arena, prefix,
			base64url_encode(arena, (struct str){ random, sizeof(random) }));
}

/* The one that the client has, or a new one; without a method that shows one there is none. */
static void choose_secret(struct task *task, struct registering *registering, struct client *client)
{
	if (!client_has_secret(client)) {
		client->secret_hash = STR_NONE;
	} else if (client->secret_hash.at == NULL) {
		registering->secret = random_secret(&task->arena, STR(""));
		client->secret_hash = sha256_str(&task->arena, registering->secret);
	}
}

static void choose_token(struct task *task, struct registering *registering,
			 struct registration *registration)
{
	registering->access_token = random_secret(&task->arena, STR("grr_"));
	registration->token_hash = sha256_str(&task->arena, registering->access_token);
}

static enum err check_keys_uri(struct task *task, const struct config *config,
			       const struct key_set_place *place)
{
	if (place->uri.at != NULL && key_set_check_place(task, config, place) != OK)
		return fail(task, ERR_METADATA,
			    "jwks_uri: keys are not read from that domain here");
	return OK;
}

static enum err take_body(struct task *task, struct registration_keep *keep)
{
	const struct config *config = authority_config(keep->registering->authority);
	struct registration_rules rules = { config->redirect_schemes, config->redirect_scheme_count,
					    config->device_flow == DEVICE_FLOW_OPEN,
					    config->client_metadata_loopback };
	struct client *client = &keep->client;
	struct key_set_place place = { .client_id = client->id };

	TRY(registration_parse(task, &rules, keep->registering->body, &keep->wish));
	place.uri = keep->wish.client.jwks_uri;
	TRY(check_keys_uri(task, config, &place));
	keep->registration.metadata = keep->wish.metadata;
	return registration_keep_apply(task, keep, client);
}

static enum err check_policy(struct task *task, const struct registering *registering)
{
	const struct config *config = authority_config(registering->authority);

	if (config->registration == REGISTRATION_OFF)
		return fail(task, ERR_NOT_FOUND, "agents do not register themselves here");
	if (config->registration == REGISTRATION_TOKEN && registering->client_id.at == NULL &&
	    str_is_empty(registering->token))
		return fail(task, ERR_TOKEN, "only with a token of the operator");
	return OK;
}

/* Each is rows that a stranger writes: so many from one place or by one client. */
static enum err check_source(struct task *task, struct registering *registering, struct str who)
{
	struct str key = address_network(&task->arena, who); /* a client's id is itself */

	TRY(throttle_check(task, registering->authority->throttle, THROTTLE_REGISTER, key,
			   &registering->retry_after));
	(void)throttle_spend(task, registering->authority, THROTTLE_REGISTER, key, NULL);
	return OK;
}

/* And so many by all together, at this node. */
static enum err check_all(struct task *task, struct registering *registering,
			  enum throttle_kind kind)
{
	struct throttle *throttle = registering->authority->throttle;

	TRY(throttle_check(task, throttle, kind, STR(""), &registering->retry_after));
	(void)throttle_count(task, throttle, kind, STR(""));
	return OK;
}

static struct event new_event(struct task *task, const struct registering *registering,
			      const char *kind, struct str client_id)
{
	struct event event = event_new(task, str_from_c(kind), STR("agent"));

	event.client_id = client_id;
	event.request_id = registering->request_id;
	return event;
}

/* The operator may have given it another one meanwhile. */
static bool is_secret_of(struct task *task, const struct client *client, struct str secret)
{
	return secret.at != NULL && client->secret_hash.at != NULL &&
	       secret_equals(client->secret_hash, sha256_str(&task->arena, secret));
}

static enum err answer(struct task *task, enum err result, void *arg)
{
	struct registration_keep *keep = arg;
	struct registering *registering = keep->registering;

	if (result == OK) {
		registering->client = keep->client;
		registering->registration = keep->registration;
		if (!is_secret_of(task, &keep->client, registering->secret))
			registering->secret = STR_NONE;
		if (keep->gone.at != NULL)
			log_info(task, "client.expired", LOG_STR("client", keep->gone));
	}
	return registering->then(task, result, registering);
}

/* --- a new one --- */

static struct registration_keep *new_keep(struct task *task, const struct authority *authority,
					  struct registering *registering, then_fn *then)
{
	struct registration_keep *keep = NEW(&task->arena, struct registration_keep);

	registering->authority = authority;
	registering->then = then;
	registering->work = keep;
	keep->registering = registering;
	return keep;
}

/* Who has no token that is good uses up what all have together for nobody. */
static enum err check_token(struct task *task, struct registration_keep *keep)
{
	struct db *db = NULL;

	keep->token_hash = sha256_str(&task->arena, keep->registering->token);
	TRY(store_reader(task, keep->registering->authority->store, &db));
	return register_token_check(task, db, keep->token_hash, task->now);
}

enum err registration_open(struct task *task, const struct authority *authority,
			   struct registering *registering, then_fn *then)
{
	struct registration_keep *keep = new_keep(task, authority, registering, then);
	struct client *client = &keep->client;

	TRY(check_policy(task, registering));
	client->id = random_id(&task->arena, "cli_");
	client->kind = STR("registered");
	client->created_at = task->now;
	keep->registration.client_id = client->id;
	keep->registration.unused_since = task->now;
	TRY(take_body(task, keep));
	TRY(check_source(task, registering, registering->source));
	/* where everybody may, a token of somewhere else is nobody's business */
	if (authority_config(authority)->registration == REGISTRATION_TOKEN)
		TRY(check_token(task, keep));
	TRY(check_all(task, registering, THROTTLE_REGISTER_ALL));
	choose_secret(task, registering, client);
	choose_token(task, registering, &keep->registration);
	keep->event = new_event(task, registering, "client.registered", client->id);
	return store_submit(task, authority->store, registration_keep_new, keep, answer);
}

/* --- one that is there (RFC 7592) --- */

/* Nobody learns from the answer which clients there are. */
static enum err refuse_token(struct task *task)
{
	task_forgive(task);
	return fail(task, ERR_TOKEN, "this registration access token is not valid");
}

static enum err load(struct task *task, struct registering *registering,
		     struct registration_keep *keep)
{
	struct db *db = NULL;
	enum err err;

	TRY(check_policy(task, registering));
	if (str_is_empty(registering->token) || !id_is_valid(registering->client_id, "cli_"))
		return refuse_token(task);
	TRY(store_reader(task, registering->authority->store, &db));
	err = registration_find(task, db, registering->client_id, &keep->registration);
	if (err == ERR_NOT_FOUND)
		return refuse_token(task);
	TRY(err);
	keep->token_hash = sha256_str(&task->arena, registering->token);
	if (keep->registration.token_hash.at == NULL ||
	    !secret_equals(keep->registration.token_hash, keep->token_hash))
		return refuse_token(task);
	TRY(client_find(task, db, registering->client_id, &keep->client));
	return registration_check_active(task, &keep->client);
}

enum err registration_read(struct task *task, const struct authority *authority,
			   struct registering *registering)
{
	struct registration_keep *keep = new_keep(task, authority, registering, NULL);

	TRY(load(task, registering, keep));
	registering->client = keep->client;
	registering->registration = keep->registration;
	registering->access_token = registering->token;
	return OK;
}

/* RFC 7592 2.2: it names itself, and does not choose its secret. */
static enum err check_itself(struct task *task, struct registering *registering,
			     const struct client *before, const struct registration_wish *wish)
{
	if (!str_equals(wish->client_id, registering->client_id))
		return fail(task, ERR_METADATA, "client_id must be that of this registration");
	if (wish->client_secret.at == NULL)
		return OK;
	if (!is_secret_of(task, before, wish->client_secret))
		return fail(task, ERR_METADATA,
			    "client_secret must be the one that was issued, or be left out");
	registering->secret = wish->client_secret;
	return OK;
}

enum err registration_change(struct task *task, const struct authority *authority,
			     struct registering *registering, then_fn *then)
{
	struct registration_keep *keep = new_keep(task, authority, registering, then);
	struct client before;

	TRY(load(task, registering, keep));
	before = keep->client;
	TRY(take_body(task, keep));
	TRY(check_itself(task, registering, &before, &keep->wish));
	TRY(check_source(task, registering, registering->client_id));
	TRY(check_all(task, registering, THROTTLE_REGISTER_CHANGES));
	if (!client_has_secret(&keep->client))
		registering->secret = STR_NONE;
	choose_secret(task, registering, &keep->client);
	choose_token(task, registering, &keep->registration);
	keep->event = new_event(task, registering, "client.updated", before.id);
	TRY(registration_keep_describe(task, keep, &keep->event.details));
	return store_submit(task, authority->store, registration_keep_change, keep, answer);
}

enum err registration_delete(struct task *task, const struct authority *authority,
			     struct registering *registering, then_fn *then)
{
	struct registration_keep *keep = new_keep(task, authority, registering, then);

	TRY(load(task, registering, keep));
	keep->event = new_event(task, registering, "client.deleted", registering->client_id);
	if (keep->registration.unused_since == 0)
		return store_submit_stop(task, authority->store, registration_keep_end, keep,
					 answer);
	/* where nobody allowed it anything, nothing is stopped: any stranger does that at will */
	TRY(check_source(task, registering, registering->source));
	return store_submit(task, authority->store, registration_keep_end, keep, answer);
}
