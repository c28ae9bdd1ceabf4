/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/client_auth.h"

#include "authority/assertion.h"
#include "authority/events.h"
#include "authority/key_sets.h"
#include "authority/throttle_shared.h"
#include "base/secret.h"
#include "store/clients.h"
#include "store/events.h"

/*
 * Who sends Basic should have form-encoded the secret (RFC 6749 2.3.1), but most clients do not:
 * theirs is right as it came, with its plus signs. Both are looked at, whatever the first says.
 */
static bool is_secret_of(struct task *task, struct str secret_hash,
			 const struct client_credentials *credentials)
{
	bool fits, fits_raw;

	if (secret_hash.at == NULL)
		return false;
	fits = secret_equals(secret_hash, sha256_str(&task->arena, credentials->secret));
	fits_raw = credentials->raw_secret.at != NULL &&
		   secret_equals(secret_hash, sha256_str(&task->arena, credentials->raw_secret));
	return fits || fits_raw;
}

static struct str guess_key(struct task *task, const struct client_credentials *credentials)
{
	return STR_JOIN(&task->arena, credentials->client_id, STR(" "), credentials->source);
}

/*
 * Guesses are counted per client and source; the one that uses the window up is worth an event, but
 * only when there is such a client: else strangers would write into the log whatever and as much as
 * they like.
 */
static enum err refuse_guess(struct task *task, const struct authority *authority,
			     const struct client_credentials *credentials, struct str client_id)
{
	struct str key = guess_key(task, credentials);
	struct event event = event_new(task, STR("client.guessing"), STR("system"));

	event.client_id = client_id;
	/* and only then do other nodes hear of it, else strangers would fill their table */
	if (credentials->method != CREDENTIAL_NONE && client_id.at != NULL)
		(void)throttle_spend(task, authority, THROTTLE_CLIENT_SECRET, key, &event);
	else if (credentials->method != CREDENTIAL_NONE)
		(void)throttle_count(task, authority->throttle, THROTTLE_CLIENT_SECRET, key);
	return fail(task, ERR_CLIENT, "client authentication failed");
}

/*
 * Without a secret nothing is guessed: it is neither counted nor refused for guesses of others,
 * else one program could keep another of the same address out.
 */
static enum err check_guesses(struct task *task, const struct authority *authority,
			      struct client_credentials *credentials)
{
	if (credentials->method == CREDENTIAL_NONE)
		return OK;
	return throttle_check(task, authority->throttle, THROTTLE_CLIENT_SECRET,
			      guess_key(task, credentials), &credentials->retry_after);
}

/* Nothing is guessed at a signature, so nothing is counted. */
static enum err authenticate_by_key(struct task *task, const struct authority *authority,
				    struct client_credentials *credentials,
				    struct client *ret_client)
{
	CLEANUP(assertion_free) struct assertion assertion = { 0 };
	struct client client = { 0 };
	struct db *db = NULL;
	enum err err;

	if (assertion_parse(task, credentials->secret, &assertion) != OK)
		return ERR_CLIENT; /* the reason is noted */
	if (assertion.subject.at == NULL)
		return fail(task, ERR_CLIENT, "the assertion has no sub");
	if (!str_is_empty(credentials->client_id) &&
	    !str_equals(credentials->client_id, assertion.subject))
		return fail(task, ERR_REQUEST, "client_id is not the authenticated client");
	TRY(store_reader(task, authority->store, &db));
	err = client_find(task, db, assertion.subject, &client);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == ERR_NOT_FOUND || client.status != CLIENT_ACTIVE ||
	    client.auth != CLIENT_AUTH_PRIVATE_KEY)
		return fail(task, ERR_CLIENT, "client authentication failed");
	TRY(key_set_load(task, db, &client));
	TRY(assertion_check(task, authority, &client, &assertion,
			    &credentials->single_use.assertion));
	credentials->client_id = client.id;
	*ret_client = client;
	return OK;
}

static bool credentials_fit(struct task *task, const struct client *client,
			    const struct client_credentials *credentials)
{
	switch (credentials->method) {
	case CREDENTIAL_NONE:
		return client->auth == CLIENT_AUTH_NONE;
	case CREDENTIAL_BASIC:
		break; /* a client registered for post may use basic */
	case CREDENTIAL_POST:
		if (client->auth != CLIENT_AUTH_POST)
			return false;
		break;
	case CREDENTIAL_ASSERTION:
		return false;
	}
	if (!client_has_secret(client))
		return false;
	if (client->secret_expires_at != 0 && client->secret_expires_at <= task->now)
		return false;
	return is_secret_of(task, client->secret_hash, credentials);
}

enum err client_authenticate(struct task *task, const struct authority *authority,
			     struct client_credentials *credentials, struct client *ret_client)
{
	struct client client = { 0 };
	struct db *db = NULL;
	enum err err;

	if (credentials->method == CREDENTIAL_ASSERTION)
		return authenticate_by_key(task, authority, credentials, ret_client);
	if (str_is_empty(credentials->client_id))
		return fail(task, ERR_REQUEST, "client_id is missing");
	TRY(check_guesses(task, authority, credentials));
	TRY(store_reader(task, authority->store, &db));
	err = client_find(task, db, credentials->client_id, &client);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == ERR_NOT_FOUND || client.status != CLIENT_ACTIVE ||
	    !credentials_fit(task, &client, credentials))
		return refuse_guess(task, authority, credentials, client.id);
	*ret_client = client;
	return OK;
}

/* The resource that lists a caller of this id, and the caller. */
static const struct resource *find_caller(const struct config *config, struct str id,
					  const struct introspection_caller **ret_caller)
{
	for (size_t i = 0; i < config->resource_count; i++) {
		const struct resource *resource = &config->resources[i];

		for (size_t j = 0; j < resource->caller_count; j++) {
			if (str_equals(resource->callers[j].id, id)) {
				*ret_caller = &resource->callers[j];
				return resource;
			}
		}
	}
	return NULL;
}

enum err caller_authenticate(struct task *task, const struct authority *authority,
			     struct client_credentials *credentials,
			     const struct resource **ret_resource, struct client *ret_client)
{
	const struct introspection_caller *caller = NULL;
	const struct resource *resource = find_caller(authority_config(authority),
						      credentials->client_id, &caller);

	bool by_key = credentials->method == CREDENTIAL_ASSERTION;

	if (str_is_empty(credentials->client_id) && !by_key) /* RFC 7662 2.3 */
		return fail(task, ERR_CLIENT, "introspection is for callers that authenticate");
	if (resource == NULL || by_key) {
		TRY(client_authenticate(task, authority, credentials, ret_client));
		if (client_is_public(ret_client))
			return fail(task, ERR_CLIENT,
				    "introspection is for callers that authenticate");
		*ret_resource = NULL;
		return OK;
	}
	TRY(check_guesses(task, authority, credentials));
	if (credentials->method == CREDENTIAL_NONE ||
	    !is_secret_of(task, caller->secret_hash, credentials))
		return refuse_guess(task, authority, credentials, caller->id);
	*ret_resource = resource;
	return OK;
}
