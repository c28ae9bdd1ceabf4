/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration.h"

#include "authority/documents.h"
#include "authority/events.h"
#include "authority/key_sets.h"
#include "authority/registration_metadata.h"
#include "authority/stop.h"
#include "authority/throttle_shared.h"
#include "base/json.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "http/address.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/key_sets.h"
#include "store/register_tokens.h"
#include "store/registrations.h"

#define SECRET_BYTES 32
#define DETAILS_MAX  512

struct writing {
	struct registering *registering;
	struct registration_wish wish;
	struct client client;
	struct registration registration;
	struct str token_hash; /* of the token that came */
	struct event event;
	struct str gone; /* another that gives way */
};

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

/* What the body says, put into the client; the rest of it stays. */
static void apply(struct task *task, const struct writing *writing, struct client *client)
{
	const struct client *said = &writing->wish.client;

	client->name = said->name.at == NULL ? client->id : said->name;
	client->auth = said->auth;
	client->jwks = said->jwks;
	client->jwks_uri = said->jwks_uri;
	client->auth_alg = said->auth_alg;
	/* what it must, by its own word or the operator's, an update ends not */
	if (client->dpop_bound_at == 0)
		client->dpop_bound_at = said->dpop_bound_at;
	if (client->par_required_at == 0)
		client->par_required_at = said->par_required_at;
	client->redirect_uris = said->redirect_uris;
	client->redirect_count = said->redirect_count;
	client->grant_types = said->grant_types;
	client->scope = offered(task, writing->registering->authority, said->scope);
}

static enum err check_keys_domain(struct task *task, const struct config *config, struct str uri)
{
	if (uri.at != NULL && document_check_domain(task, config, uri) != OK)
		return fail(task, ERR_METADATA,
			    "jwks_uri: keys are not read from that domain here");
	return OK;
}

static enum err take_body(struct task *task, struct writing *writing)
{
	const struct config *config = authority_config(writing->registering->authority);
	struct registration_rules rules = { config->redirect_schemes, config->redirect_scheme_count,
					    config->device_flow == DEVICE_FLOW_OPEN,
					    config->client_metadata_loopback };
	struct client *client = &writing->client;

	TRY(registration_parse(task, &rules, writing->registering->body, &writing->wish));
	TRY(check_keys_domain(task, config, writing->wish.client.jwks_uri));
	apply(task, writing, client);
	writing->registration.metadata = writing->wish.metadata;
	return client_check(task, client, config->redirect_schemes, config->redirect_scheme_count);
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

static enum err answer(struct task *task, enum err result, void *arg)
{
	struct writing *writing = arg;
	struct registering *registering = writing->registering;

	if (result == OK) {
		registering->client = writing->client;
		registering->registration = writing->registration;
		if (writing->gone.at != NULL)
			log_info(task, "client.expired", LOG_STR("client", writing->gone));
	}
	return registering->then(task, result, registering);
}

/*
 * A stranger has nothing fetched: the keys of such an agent are read when a person who has signed
 * in is asked about it. Of one that came with the operator's token, or that somebody allowed
 * something, they are read now.
 */
static enum err want_keys(struct task *task, struct db *db, const struct writing *writing,
			  const struct registration *registration)
{
	bool is_stranger = registration->register_token.at == NULL &&
			   registration->unused_since != 0;

	if (is_stranger)
		return key_set_want(task, db, writing->client.id, writing->client.jwks_uri, 0);
	return key_set_want_own(task, db, &writing->client);
}

/* --- a new one --- */

/*
 * So many may be unused, and no more: then the one that waits longest gives way. So who registers
 * as many as they like takes nobody's place but that of others who never came back.
 */
static enum err make_room(struct task *task, struct db *db, struct writing *writing)
{
	const struct config *config = authority_config(writing->registering->authority);
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
	writing->gone = list[0].client_id;
	return OK;
}

static enum err details_of(struct task *task, const struct writing *writing,
			   struct str *ret_details)
{
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "auth", client_auth_name(writing->client.auth));
	if (writing->registration.register_token.at != NULL)
		json_member_str(&json, "register_token", writing->registration.register_token);
	json_close(&json);
	return buf_finish(&buf, ret_details);
}

static enum err write_new(struct task *task, struct db *db, void *arg)
{
	struct writing *writing = arg;
	struct event event = writing->event;

	writing->gone = STR_NONE; /* this may run again */
	if (writing->token_hash.at != NULL)
		TRY(register_token_spend(task, db, writing->token_hash, task->now,
					 &writing->registration.register_token));
	TRY(make_room(task, db, writing));
	TRY(client_insert(task, db, &writing->client));
	TRY(registration_insert(task, db, &writing->registration));
	TRY(want_keys(task, db, writing, &writing->registration));
	TRY(details_of(task, writing, &event.details));
	return event_insert(task, db, &event);
}

static struct writing *new_writing(struct task *task, const struct authority *authority,
				   struct registering *registering, then_fn *then)
{
	struct writing *writing = NEW(&task->arena, struct writing);

	registering->authority = authority;
	registering->then = then;
	registering->work = writing;
	writing->registering = registering;
	return writing;
}

/* Who has no token that is good uses up what all have together for nobody. */
static enum err check_token(struct task *task, struct writing *writing)
{
	struct db *db = NULL;

	writing->token_hash = sha256_str(&task->arena, writing->registering->token);
	TRY(store_reader(task, writing->registering->authority->store, &db));
	return register_token_check(task, db, writing->token_hash, task->now);
}

enum err registration_open(struct task *task, const struct authority *authority,
			   struct registering *registering, then_fn *then)
{
	struct writing *writing = new_writing(task, authority, registering, then);
	struct client *client = &writing->client;

	TRY(check_policy(task, registering));
	client->id = random_id(&task->arena, "cli_");
	client->kind = STR("registered");
	client->created_at = task->now;
	writing->registration.client_id = client->id;
	writing->registration.unused_since = task->now;
	TRY(take_body(task, writing));
	TRY(check_source(task, registering, registering->source));
	/* where everybody may, a token of somewhere else is nobody's business */
	if (authority_config(authority)->registration == REGISTRATION_TOKEN)
		TRY(check_token(task, writing));
	TRY(check_all(task, registering, THROTTLE_REGISTER_ALL));
	choose_secret(task, registering, client);
	choose_token(task, registering, &writing->registration);
	writing->event = new_event(task, registering, "client.registered", client->id);
	return store_submit(task, authority->store, write_new, writing, answer);
}

/* --- one that is there (RFC 7592) --- */

/* Nobody learns from the answer which clients there are. */
static enum err refuse_token(struct task *task)
{
	task_forgive(task);
	return fail(task, ERR_TOKEN, "this registration access token is not valid");
}

static enum err check_active(struct task *task, const struct client *client)
{
	if (client->status != CLIENT_ACTIVE)
		return fail(task, ERR_FORBIDDEN, "the operator has disabled this client");
	return OK;
}

static enum err load(struct task *task, struct registering *registering, struct writing *writing)
{
	struct db *db = NULL;
	enum err err;

	TRY(check_policy(task, registering));
	if (str_is_empty(registering->token) || !id_is_valid(registering->client_id, "cli_"))
		return refuse_token(task);
	TRY(store_reader(task, registering->authority->store, &db));
	err = registration_find(task, db, registering->client_id, &writing->registration);
	if (err == ERR_NOT_FOUND)
		return refuse_token(task);
	TRY(err);
	writing->token_hash = sha256_str(&task->arena, registering->token);
	if (writing->registration.token_hash.at == NULL ||
	    !secret_equals(writing->registration.token_hash, writing->token_hash))
		return refuse_token(task);
	TRY(client_find(task, db, registering->client_id, &writing->client));
	return check_active(task, &writing->client);
}

enum err registration_read(struct task *task, const struct authority *authority,
			   struct registering *registering)
{
	struct writing *writing = new_writing(task, authority, registering, NULL);

	TRY(load(task, registering, writing));
	registering->client = writing->client;
	registering->registration = writing->registration;
	registering->access_token = registering->token;
	return OK;
}

/* What is the operator's to say stays as it is now, not as it was when the request came. */
static enum err renew(struct task *task, struct db *db, struct writing *writing)
{
	struct client client;

	TRY(client_find(task, db, writing->client.id, &client));
	TRY(check_active(task, &client));
	apply(task, writing, &client);
	if (!client_has_secret(&client) || client.secret_hash.at == NULL)
		client.secret_hash = writing->client.secret_hash;
	writing->client = client;
	return client_update(task, db, &client);
}

static enum err write_change(struct task *task, struct db *db, void *arg)
{
	struct writing *writing = arg;
	struct registration now;

	TRY(registration_update(task, db, writing->token_hash, &writing->registration));
	TRY(registration_find(task, db, writing->client.id, &now));
	TRY(renew(task, db, writing));
	TRY(want_keys(task, db, writing, &now));
	/* what nobody uses opens nothing in any state, and strangers could fill the disk with it */
	if (now.unused_since != 0)
		return OK;
	client_note_replaced(task, db, writing->client.id);
	return event_insert(task, db, &writing->event);
}

/* RFC 7592 2.2: it names itself, and does not choose its secret. */
static enum err check_itself(struct task *task, struct registering *registering,
			     const struct client *before, const struct registration_wish *wish)
{
	if (!str_equals(wish->client_id, registering->client_id))
		return fail(task, ERR_METADATA, "client_id must be that of this registration");
	if (wish->client_secret.at == NULL)
		return OK;
	if (before->secret_hash.at == NULL ||
	    !secret_equals(before->secret_hash, sha256_str(&task->arena, wish->client_secret)))
		return fail(task, ERR_METADATA,
			    "client_secret must be the one that was issued, or be left out");
	registering->secret = wish->client_secret;
	return OK;
}

enum err registration_change(struct task *task, const struct authority *authority,
			     struct registering *registering, then_fn *then)
{
	struct writing *writing = new_writing(task, authority, registering, then);
	struct client before;

	TRY(load(task, registering, writing));
	before = writing->client;
	TRY(take_body(task, writing));
	TRY(check_itself(task, registering, &before, &writing->wish));
	TRY(check_source(task, registering, registering->client_id));
	TRY(check_all(task, registering, THROTTLE_REGISTER_CHANGES));
	if (!client_has_secret(&writing->client))
		registering->secret = STR_NONE;
	choose_secret(task, registering, &writing->client);
	choose_token(task, registering, &writing->registration);
	writing->event = new_event(task, registering, "client.updated", before.id);
	TRY(details_of(task, writing, &writing->event.details));
	return store_submit(task, authority->store, write_change, writing, answer);
}

static enum err write_end(struct task *task, struct db *db, void *arg)
{
	const struct writing *writing = arg;
	struct str id = writing->client.id;
	bool is_shut;

	TRY(registration_end(task, db, id, writing->token_hash, task->now));
	/* one that nobody allowed anything keeps its place for its hour, and is on no record */
	TRY(registration_shut(task, db, id, task->now, &is_shut));
	if (is_shut)
		return OK;
	TRY(client_set_disabled(task, db, id, task->now, task->now));
	TRY(stop_end_client(task, db, id));
	return event_insert(task, db, &writing->event);
}

enum err registration_delete(struct task *task, const struct authority *authority,
			     struct registering *registering, then_fn *then)
{
	struct writing *writing = new_writing(task, authority, registering, then);

	TRY(load(task, registering, writing));
	writing->event = new_event(task, registering, "client.deleted", registering->client_id);
	if (writing->registration.unused_since == 0)
		return store_submit_stop(task, authority->store, write_end, writing, answer);
	/* where nobody allowed it anything, nothing is stopped: any stranger does that at will */
	TRY(check_source(task, registering, registering->source));
	return store_submit(task, authority->store, write_end, writing, answer);
}
