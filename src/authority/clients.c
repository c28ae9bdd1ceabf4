/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/clients.h"

#include "authority/events.h"
#include "authority/stop.h"
#include "base/json.h"
#include "crypto/base64.h"
#include "crypto/jwk_set.h"
#include "crypto/random.h"
#include "model/document.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/key_sets.h"

#define SECRET_BYTES 32
#define SECRET_MAX   512
#define DETAILS_MAX  512

struct change {
	const struct authority *authority;
	const struct client_change *wish; /* of client_change */
	struct client client;
	int64_t disabled_at;
	int64_t not_before;
	struct str secret; /* STR_NONE: none was made */
	struct event event;
};

/* Nobody may come later and take an id that somebody delegates to already. */
static enum err check_delegates(struct task *task, struct db *db, const struct client *client)
{
	struct client *other = NEW(&task->arena, struct client);

	for (size_t i = 0; i < client->delegates_to.count; i++) {
		struct str id = client->delegates_to.names[i];
		enum err err = client_find(task, db, id, other);

		if (err == ERR_NOT_FOUND)
			return failf(task, ERR_REQUEST,
				     "delegates_to: there is no client \"%.*s\"; register it first",
				     STR_FMT(id));
		TRY(err);
	}
	return OK;
}

static enum err write_new(struct task *task, struct db *db, void *arg)
{
	const struct change *change = arg;

	TRY(check_delegates(task, db, &change->client));
	TRY(client_insert(task, db, &change->client));
	TRY(key_set_want(task, db, change->client.id, change->client.jwks_uri, task->now));
	return event_insert(task, db, &change->event);
}

static enum err choose_resource(struct task *task, const struct authority *authority,
				struct str name, struct str *ret_uri)
{
	const struct config *config = authority_config(authority);
	const struct resource *resource = config_find_resource_named(config, name);

	if (resource == NULL)
		resource = config_find_resource(config, name);
	if (resource == NULL)
		return failf(task, ERR_TARGET,
			     "there is no resource \"%.*s\"; grantctl resource list shows those "
			     "there are",
			     STR_FMT(name));
	*ret_uri = resource->uri;
	return OK;
}

/* The given one (STR_NONE: a new one, which is *ret_secret), hashed. */
static enum err choose_secret(struct task *task, struct str secret, struct client *client,
			      struct str *ret_secret)
{
	char random[SECRET_BYTES];

	*ret_secret = STR_NONE;
	if (client_is_public(client))
		return fail(task, ERR_REQUEST, "a public client has no secret");
	if (!client_has_secret(client))
		return fail(task, ERR_REQUEST,
			    "a client with keys of its own (private_key_jwt) has no secret");
	if (secret.at == NULL) {
		random_bytes(random, sizeof(random));
		secret = base64url_encode(&task->arena, (struct str){ random, sizeof(random) });
		*ret_secret = secret;
	}
	if (secret.len < CLIENT_SECRET_MIN || secret.len > SECRET_MAX)
		return fail(task, ERR_REQUEST, "a client secret has 32 to 512 characters");
	client->secret_hash = sha256_str(&task->arena, secret);
	return OK;
}

/* What is not there stays so: client_check says whether it must be. */
static enum err check_keys(struct task *task, const struct config *config, struct client *client)
{
	enum alg alg;
	enum err err = OK;

	if (client->jwks_uri.at != NULL)
		err = document_check_jwks_uri(task, client->jwks_uri,
					      config->client_metadata_loopback);
	if (err == OK && client->jwks.at != NULL)
		err = jwk_set_check(task, client->jwks, &client->jwks);
	if (err == OK && client->auth_alg.at != NULL)
		err = alg_from_name(task, client->auth_alg, &alg);
	return err == ERR_SYNTAX ? ERR_REQUEST : err;
}

/* A ceiling names scopes that exist somewhere, so that a slip of the pen shows at once. */
static enum err check_ceiling(struct task *task, const struct authority *authority,
			      const struct client *client)
{
	for (size_t i = 0; i < client->scope.count; i++)
		if (!authority_knows_scope(authority, client->scope.names[i]))
			return failf(task, ERR_SCOPE, "no resource has a scope \"%.*s\"",
				     STR_FMT(client->scope.names[i]));
	return OK;
}

enum err client_create(struct task *task, const struct authority *authority,
		       const struct new_client *wish, struct client *ret_client,
		       struct str *ret_secret)
{
	const struct config *config = authority_config(authority);
	struct change *change = NEW(&task->arena, struct change);
	struct client *client = &change->client;
	struct str secret = STR_NONE;

	*client = wish->client;
	client->kind = STR("operator");
	client->created_at = task->now;
	TRY(client_check(task, client, config->redirect_schemes, config->redirect_scheme_count));
	TRY(check_ceiling(task, authority, client));
	TRY(check_keys(task, config, client));
	if (!str_is_empty(wish->resource))
		TRY(choose_resource(task, authority, wish->resource, &client->resource));
	if (client_has_secret(client) || wish->secret.at != NULL)
		TRY(choose_secret(task, wish->secret, client, &secret));
	change->event = event_new(task, STR("client.created"), STR("operator"));
	change->event.client_id = client->id;
	TRY(store_write(task, authority->store, write_new, change));
	*ret_client = *client;
	*ret_secret = secret;
	return OK;
}

/* Of one that describes itself the operator says the rest. */
static enum err check_is_operators_to_say(struct task *task, const struct client_change *wish,
					  const struct client *client)
{
	if (!str_equals(client->kind, STR(DOCUMENT_KIND)))
		return OK;
	if (wish->name.at != NULL || wish->redirect_count > 0 || wish->grant_types != 0 ||
	    wish->new_secret || wish->jwks.at != NULL || wish->jwks_uri.at != NULL ||
	    wish->auth_alg.at != NULL)
		return fail(task, ERR_REQUEST,
			    "name, addresses, grant types and keys of this agent are what its "
			    "document says; to say it yourself, pin a copy (grantctl client pin "
			    "--file)");
	return OK;
}

/* From now on the operator's word counts and not the client's own. */
static void take_requirements(const struct task *task, const struct client_change *wish,
			      struct client *client)
{
	if (wish->dpop != DPOP_STAYS) {
		client->dpop_bound_at = wish->dpop == DPOP_REQUIRED ? task->now : 0;
		client->dpop_set_at = task->now;
	}
	if (wish->par != PAR_STAYS) {
		client->par_required_at = wish->par == PAR_REQUIRED ? task->now : 0;
		client->par_set_at = task->now;
	}
}

static void take_changes(const struct task *task, const struct client_change *wish,
			 struct client *client)
{
	if (wish->name.at != NULL)
		client->name = wish->name;
	if (wish->redirect_count > 0) {
		client->redirect_uris = wish->redirect_uris;
		client->redirect_count = wish->redirect_count;
	}
	if (wish->grant_types != 0)
		client->grant_types = wish->grant_types;
	if (wish->scope != NULL)
		client->scope = *wish->scope;
	if (wish->jwks.at != NULL || wish->jwks_uri.at != NULL) {
		client->jwks = wish->jwks;
		client->jwks_uri = wish->jwks_uri;
	}
	if (wish->auth_alg.at != NULL)
		client->auth_alg = str_is_empty(wish->auth_alg) ? STR_NONE : wish->auth_alg;
	take_requirements(task, wish, client);
	if (wish->refresh != REFRESH_STAYS)
		client->refresh_kept_at = wish->refresh == REFRESH_KEPT ? task->now : 0;
	if (wish->delegates_to != NULL)
		client->delegates_to = *wish->delegates_to;
}

/* Which members an event names; never what they were or became. */
static enum err describe_changes(struct task *task, const struct client_change *wish,
				 struct str *ret_details)
{
	const struct {
		const char *name;
		bool is_given;
	} members[] = {
		{ "name", wish->name.at != NULL },
		{ "redirect_uris", wish->redirect_count > 0 },
		{ "grant_types", wish->grant_types != 0 },
		{ "scope", wish->scope != NULL },
		{ "delegates_to", wish->delegates_to != NULL },
		{ "resource", wish->resource.at != NULL },
		{ "secret", wish->new_secret },
		{ "jwks", wish->jwks.at != NULL },
		{ "jwks_uri", wish->jwks_uri.at != NULL },
		{ "auth_alg", wish->auth_alg.at != NULL },
		{ "dpop_bound", wish->dpop != DPOP_STAYS },
		{ "par_required", wish->par != PAR_STAYS },
		{ "refresh", wish->refresh != REFRESH_STAYS },
	};
	struct buf buf = buf_in(&task->arena, DETAILS_MAX);
	struct json_writer json = json_write_to(&buf);
	size_t count = 0;

	json_open_object(&json);
	json_key(&json, "changed");
	json_open_array(&json);
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		if (!members[i].is_given)
			continue;
		json_add_str(&json, str_from_c(members[i].name));
		count++;
	}
	json_close(&json);
	json_close(&json);
	if (count == 0)
		return fail(task, ERR_REQUEST, "nothing is to be changed");
	return buf_finish(&buf, ret_details);
}

/* Reads and writes in one transaction, so that two operators at once lose nothing. */
static enum err write_change(struct task *task, struct db *db, void *arg)
{
	struct change *change = arg;
	const struct client_change *wish = change->wish;
	const struct config *config = authority_config(change->authority);
	struct client *client = &change->client;

	TRY(client_find(task, db, wish->id, client));
	TRY(check_is_operators_to_say(task, wish, client));
	take_changes(task, wish, client);
	TRY(client_check(task, client, config->redirect_schemes, config->redirect_scheme_count));
	if (wish->jwks.at != NULL || wish->jwks_uri.at != NULL || !str_is_empty(wish->auth_alg))
		TRY(check_keys(task, config, client));
	if (wish->scope != NULL)
		TRY(check_ceiling(task, change->authority, client));
	if (str_is_empty(wish->resource))
		client->resource = wish->resource.at == NULL ? client->resource : STR_NONE;
	else
		TRY(choose_resource(task, change->authority, wish->resource, &client->resource));
	if (wish->new_secret)
		TRY(choose_secret(task, wish->secret, client, &change->secret));
	if (wish->delegates_to != NULL)
		TRY(check_delegates(task, db, client));
	TRY(client_update(task, db, client));
	TRY(key_set_want(task, db, client->id, client->jwks_uri,
			 wish->jwks_uri.at == NULL ? 0 : task->now));
	client_note_replaced(task, db, client->id);
	return event_insert(task, db, &change->event);
}

enum err client_change(struct task *task, const struct authority *authority,
		       const struct client_change *wish, struct client *ret_client,
		       struct str *ret_secret)
{
	struct change *change = NEW(&task->arena, struct change);

	change->authority = authority;
	change->wish = wish;
	change->event = event_new(task, STR("client.updated"), STR("operator"));
	change->event.client_id = wish->id;
	TRY(describe_changes(task, wish, &change->event.details));
	TRY(store_write(task, authority->store, write_change, change));
	*ret_client = change->client;
	*ret_secret = change->secret;
	return OK;
}

static enum err write_status(struct task *task, struct db *db, void *arg)
{
	const struct change *change = arg;

	TRY(client_set_disabled(task, db, change->client.id, change->disabled_at,
				change->not_before));
	if (change->disabled_at != 0)
		TRY(stop_queue_client(task, db, change->client.id));
	else /* its keys were not read meanwhile */
		TRY(key_set_hurry(task, db, change->client.id, task->now, task->now));
	return event_insert(task, db, &change->event);
}

static enum err set_status(struct task *task, const struct authority *authority, struct str id,
			   bool is_disabled)
{
	struct change *change = NEW(&task->arena, struct change);

	change->client.id = id;
	change->disabled_at = is_disabled ? task->now : 0;
	change->not_before = is_disabled ? task->now : 0;
	change->event = event_new(task,
				  is_disabled ? STR("client.disabled") : STR("client.enabled"),
				  STR("operator"));
	change->event.client_id = id;
	return is_disabled ? store_stop(task, authority->store, write_status, change)
			   : store_write(task, authority->store, write_status, change);
}

enum err client_disable(struct task *task, const struct authority *authority, struct str id)
{
	return set_status(task, authority, id, true);
}

enum err client_enable(struct task *task, const struct authority *authority, struct str id)
{
	return set_status(task, authority, id, false);
}
