/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/metadata.h"

#include <pthread.h>
#include <stdlib.h>

#include "authority/details.h"
#include "base/json.h"
#include "base/map.h"
#include "base/task.h"
#include "model/client.h"
#include "oauth/endpoints.h"

#define METADATA_MAX (1024 * 1024)

/*
 * The text of one configuration. A reload makes a new one; older ones may still be on their way
 * out.
 */
struct metadata {
	struct arena arena; /* also of this struct */
	const struct config *config;
	struct str text;
	struct metadata *older;
};

struct metadata_cache {
	pthread_mutex_t mutex;
	struct metadata *newest;
};

/* Of DPoP proofs and client assertions (crypto/jwk.h); Ed25519 is EdDSA said in full (RFC 9864). */
#define VERIFIED_ALGORITHMS "ES256", "RS256", "PS256", "EdDSA", "Ed25519"

struct endpoint {
	const char *member;
	const char *path;
};

struct list {
	const char *member;
	const char *values[8]; /* NULL-terminated */
};

static const struct endpoint endpoints[] = {
	{ "authorization_endpoint", "/authorize" },
	{ "token_endpoint", "/token" },
	{ "revocation_endpoint", "/revoke" },
	{ "introspection_endpoint", "/introspect" },
	{ "userinfo_endpoint", "/userinfo" },
	{ "jwks_uri", "/jwks.json" },
	{ "pushed_authorization_request_endpoint", "/par" },
};

static const struct list lists[] = {
	{ "response_types_supported", { "code" } },
	{ "response_modes_supported", { "query" } },
	{ "code_challenge_methods_supported", { "S256" } },
	{ "token_endpoint_auth_methods_supported",
	  { "client_secret_basic", "client_secret_post", "private_key_jwt", "none" } },
	{ "token_endpoint_auth_signing_alg_values_supported", { VERIFIED_ALGORITHMS } },
	{ "revocation_endpoint_auth_methods_supported",
	  { "client_secret_basic", "client_secret_post", "private_key_jwt", "none" } },
	{ "revocation_endpoint_auth_signing_alg_values_supported", { VERIFIED_ALGORITHMS } },
	{ "introspection_endpoint_auth_methods_supported",
	  { "client_secret_basic", "client_secret_post", "private_key_jwt" } },
	{ "introspection_endpoint_auth_signing_alg_values_supported", { VERIFIED_ALGORITHMS } },
	{ "dpop_signing_alg_values_supported", { VERIFIED_ALGORITHMS } },
	{ "introspection_signing_alg_values_supported", { "RS256" } },
	{ "prompt_values_supported", { "none", "login", "consent" } },
	{ "acr_values_supported", { ACR_PASSWORD } },
	{ "refresh_token_expiration_types_supported", { "authorization", "token_timeout" } },
	{ "subject_types_supported", { "public" } },
	{ "id_token_signing_alg_values_supported", { "RS256" } },
};

static const struct list details_types = { "authorization_details_types_supported",
					   { DETAILS_TYPE } };

static const char *const claims[] = { "sub",
				      "iss",
				      "aud",
				      "exp",
				      "iat",
				      "acr",
				      "nonce",
				      "auth_time",
				      "email",
				      "at_hash",
				      "amr",
				      "email_verified",
				      "preferred_username" };

static void write_list(struct json_writer *json, const struct list *list)
{
	json_key(json, list->member);
	json_open_array(json);
	for (size_t i = 0; list->values[i] != NULL; i++)
		json_add_str(json, str_from_c(list->values[i]));
	json_close(json);
}

static void write_grant_types(struct json_writer *json, const struct config *config)
{
	static const struct list without = { "grant_types_supported",
					     { "authorization_code", "refresh_token",
					       "client_credentials", TOKEN_EXCHANGE } };
	static const struct list with = { "grant_types_supported",
					  { "authorization_code", "refresh_token",
					    "client_credentials", TOKEN_EXCHANGE, DEVICE_CODE } };

	write_list(json, config->device_flow == DEVICE_FLOW_OFF ? &without : &with);
}

static void write_claims(struct json_writer *json)
{
	json_key(json, "claims_supported");
	json_open_array(json);
	for (size_t i = 0; i < COUNT_OF(claims); i++)
		json_add_str(json, str_from_c(claims[i]));
	json_close(json);
}

static void add_scopes(struct json_writer *json, struct map *seen, const struct resource *resource)
{
	for (size_t i = 0; i < resource->scope_count; i++) {
		struct str name = resource->scopes[i].name;

		/* what the value is does not matter */
		if (map_set(seen, name, seen) == NULL)
			json_add_str(json, name);
	}
}

/* OpenID Connect's own and every resource's, each once. */
static void write_scopes(struct json_writer *json, const struct config *config,
			 const struct resource *identity)
{
	struct map *seen = map_new(0);

	json_key(json, "scopes_supported");
	json_open_array(json);
	add_scopes(json, seen, identity);
	for (size_t i = 0; i < config->resource_count; i++)
		add_scopes(json, seen, &config->resources[i]);
	json_close(json);
	map_free(&seen);
}

void metadata_write(struct buf *buf, const struct config *config, const struct resource *identity)
{
	struct json_writer json = json_write_to(buf);

	json_open_object(&json);
	json_member_str(&json, "issuer", config->issuer);
	for (size_t i = 0; i < COUNT_OF(endpoints); i++)
		json_member_str(
			&json, endpoints[i].member,
			STR_JOIN(buf->arena, config->issuer, str_from_c(endpoints[i].path)));
	if (config->registration != REGISTRATION_OFF)
		json_member_str(&json, "registration_endpoint",
				STR_JOIN(buf->arena, config->issuer, STR("/register")));
	if (config->device_flow != DEVICE_FLOW_OFF)
		json_member_str(&json, "device_authorization_endpoint",
				STR_JOIN(buf->arena, config->issuer, STR("/device_authorization")));
	write_grant_types(&json, config);
	for (size_t i = 0; i < COUNT_OF(lists); i++)
		write_list(&json, &lists[i]);
	write_scopes(&json, config, identity);
	write_claims(&json);
	if (details_are_offered(config))
		write_list(&json, &details_types);
	json_member_bool(&json, "authorization_response_iss_parameter_supported", true);
	json_member_bool(&json, "client_id_metadata_document_supported", config->client_metadata);
	json_member_bool(&json, "claims_parameter_supported", false);
	json_member_bool(&json, "request_parameter_supported", false);
	/* the default of this one is true (OpenID Connect Discovery 3) */
	json_member_bool(&json, "request_uri_parameter_supported", false);
	/* left out, it is the client's own affair (RFC 9126 5) */
	if (config->require_pushed_requests)
		json_member_bool(&json, "require_pushed_authorization_requests", true);
	json_close(&json);
}

struct metadata_cache *metadata_cache_new(void)
{
	struct metadata_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		abort();
	pthread_mutex_init(&cache->mutex, NULL);
	return cache;
}

static void metadata_free(struct metadata **metadata)
{
	/* the struct lies in its own arena */
	struct arena arena = (*metadata)->arena;

	*metadata = NULL;
	arena_free(&arena);
}

void metadata_cache_free(struct metadata_cache **cache)
{
	if (*cache == NULL)
		return;
	while ((*cache)->newest != NULL) {
		struct metadata *metadata = (*cache)->newest;

		(*cache)->newest = metadata->older;
		metadata_free(&metadata);
	}
	pthread_mutex_destroy(&(*cache)->mutex);
	free(*cache);
	*cache = NULL;
}

static struct metadata *find_locked(const struct metadata_cache *cache, const struct config *config)
{
	for (struct metadata *it = cache->newest; it != NULL; it = it->older)
		if (it->config == config)
			return it;
	return NULL;
}

static enum err metadata_new(const struct config *config, const struct resource *identity,
			     struct metadata **ret_metadata)
{
	struct arena arena = { 0 };
	struct metadata *metadata = NEW(&arena, struct metadata);
	struct buf buf = buf_in(&arena, METADATA_MAX);
	enum err err;

	metadata->config = config;
	metadata_write(&buf, config, identity);
	err = buf_finish(&buf, &metadata->text);
	metadata->arena = arena;
	if (err != OK) {
		metadata_free(&metadata);
		return err;
	}
	*ret_metadata = metadata;
	return OK;
}

enum err metadata_text(struct task *task, struct metadata_cache *cache, const struct config *config,
		       const struct resource *identity, struct str *ret_text)
{
	struct metadata *metadata;
	enum err err = OK;

	pthread_mutex_lock(&cache->mutex);
	metadata = find_locked(cache, config);
	if (metadata == NULL) {
		err = metadata_new(config, identity, &metadata);
		if (err == OK) {
			metadata->older = cache->newest;
			cache->newest = metadata;
		}
	}
	pthread_mutex_unlock(&cache->mutex);
	if (err != OK)
		return fail(task, err, "the metadata document is too large");
	*ret_text = metadata->text;
	return OK;
}

enum err oauth_metadata(struct exchange *exchange)
{
	const struct oauth *oauth = oauth_of(exchange);
	const struct config *config = authority_config(oauth->config.authority);
	const struct resource *identity = authority_resource(oauth->config.authority,
							     config->issuer);
	struct str text;

	TRY(metadata_text(&exchange->task, oauth->metadata, config, identity, &text));
	reply_with(exchange, 200, STR("application/json"), text);
	return OK;
}
