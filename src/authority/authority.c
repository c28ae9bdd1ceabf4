/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/authority.h"

#include <string.h>

#include "authority/documents.h"
#include "authority/key_sets.h"
#include "authority/signing.h"
#include "authority/throttle.h"
#include "authority/verified.h"
#include "crypto/base64.h"
#include "crypto/key_cache.h"
#include "crypto/random.h"

static const struct str can_openid[] = { STR_INIT("learn that it is you who signed in") };
static const struct str can_profile[] = { STR_INIT("see your user name") };
static const struct str can_email[] = { STR_INIT("see your e-mail address") };

/* OIDC Core 5.4 */
static const struct resource_scope issuer_scopes[] = {
	{ .name = STR_INIT("openid"),
	  .title = STR_INIT("Sign you in"),
	  .risk = STR_INIT("read"),
	  .is_default = true,
	  .can = can_openid,
	  .can_count = COUNT_OF(can_openid) },
	{ .name = STR_INIT("profile"),
	  .title = STR_INIT("See your user name"),
	  .risk = STR_INIT("read"),
	  .can = can_profile,
	  .can_count = COUNT_OF(can_profile) },
	{ .name = STR_INIT("email"),
	  .title = STR_INIT("See your e-mail address"),
	  .risk = STR_INIT("read"),
	  .can = can_email,
	  .can_count = COUNT_OF(can_email) },
};

/* One question to the key holder for as long as we run. */
static enum err make_key(struct task *task, const struct authority *authority, struct str name,
			 struct secret *key)
{
	uint8_t bytes[SHA256_LEN];

	TRY(keys_mac(task, authority->keys, MAC_ALIAS, name, bytes));
	secret_set(key, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	return OK;
}

enum err authority_open(struct task *task, struct authority *authority, struct store *store,
			struct keyring *keys, struct config_live *config)
{
	*authority = (struct authority){
		.store = store,
		.keys = keys,
		.config = config,
		.throttle = throttle_new(random_u64()),
		.verified = verified_new(),
		.proof_keys = key_cache_new(),
		.signing = signing_new(),
		.documents = documents_new(),
		.key_sets = key_sets_new(),
	};
	authority->issuer_resource = (struct resource){
		.name = STR("issuer"),
		.uri = config_current(config)->issuer, /* the issuer never changes while we run */
		.title = STR("Your sign-in"),
		.enforced_by_gateway = true,
		.token_typ = STR("at+jwt"),
		.token_alg = STR("ES256"),
		.takes_dpop = true,
		.token_ms = 5 * MINUTE_MS,
		.scopes = issuer_scopes,
		.scope_count = COUNT_OF(issuer_scopes),
	};
	TRY(make_key(task, authority, STR("key"), &authority->alias_key));
	return make_key(task, authority, STR("dpop nonce"), &authority->nonce_key);
}

void authority_close(struct authority *authority)
{
	throttle_free(&authority->throttle);
	verified_free(&authority->verified);
	key_cache_free(&authority->proof_keys);
	signing_free(&authority->signing);
	documents_free(&authority->documents);
	key_sets_free(&authority->key_sets);
	secret_wipe(&authority->alias_key);
	secret_wipe(&authority->nonce_key);
}

const struct config *authority_config(const struct authority *authority)
{
	return config_current(authority->config);
}

const struct resource *authority_resource(const struct authority *authority, struct str uri)
{
	if (str_equals(uri, authority->issuer_resource.uri))
		return &authority->issuer_resource;
	return config_find_resource(authority_config(authority), uri);
}

bool authority_offers(const struct authority *authority, const struct resource *resource,
		      struct str scope)
{
	return resource_find_scope(resource, scope) != NULL ||
	       resource_find_scope(&authority->issuer_resource, scope) != NULL;
}

bool authority_knows_scope(const struct authority *authority, struct str scope)
{
	const struct config *config = authority_config(authority);

	for (size_t i = 0; i < config->resource_count; i++)
		if (resource_find_scope(&config->resources[i], scope) != NULL)
			return true;
	return resource_find_scope(&authority->issuer_resource, scope) != NULL;
}

struct str authority_alias(const struct authority *authority, struct arena *arena, struct str who)
{
	uint8_t tag[SHA256_LEN];

	hmac_sha256(secret_reveal(&authority->alias_key), who, tag);
	return base64url_encode(arena, (struct str){ (const char *)tag, sizeof(tag) });
}
