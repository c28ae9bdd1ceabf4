/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of the authorization server: who may have which token, for what, until when. Doors turn
 * HTTP into these questions; nothing here knows HTTP. Names follow the RFCs; PROTOCOL.md's
 * decisions are here.
 *
 * Functions with a `then` park the task (base/task.h): they answer ERR_PARKED when all went well so
 * far, or the refusal at once; the outcome is in the struct they were given. All others answer on
 * the spot, and those that write wait for the commit: pages lane, slow lane, commands and jobs
 * only.
 */
#pragma once

#include "base/err.h"
#include "base/secret.h"
#include "base/task.h"
#include "config/config.h"
#include "crypto/keys.h"
#include "store/store.h"

struct throttle;

struct key_cache;
struct verified;  /* which signatures were checked a moment ago */
struct signing;	  /* which signing keys are loaded */
struct documents; /* which agents are being read of */
struct key_sets;  /* which agents' keys are being read */

struct authority {
	struct store *store;
	struct keyring *keys;
	struct config_live *config;
	struct throttle *throttle;
	struct verified *verified;
	struct key_cache *proof_keys; /* of DPoP proofs */
	struct signing *signing;
	struct documents *documents;
	struct key_sets *key_sets;
	struct secret alias_key;
	struct secret nonce_key; /* of DPoP nonces; the same at every node */
	struct resource
		/* OpenID Connect: openid, profile, email; audience is the issuer */
		issuer_resource;
};

/* Borrows the three; close frees what open made, and accepts what a failed open has left. */
MUST_CHECK enum err authority_open(struct task *task, struct authority *authority,
				   struct store *store, struct keyring *keys,
				   struct config_live *config);
void authority_close(struct authority *authority);

/* The configuration in force for this task. */
const struct config *authority_config(const struct authority *authority);
/*
 * The resource of that URI; the issuer itself is the resource of OpenID Connect (openid, no
 * `resource`).
 */
const struct resource *authority_resource(const struct authority *authority, struct str uri);
/* True if the scope may be asked of that resource: one of its own, or one of OpenID Connect's. */
bool authority_offers(const struct authority *authority, const struct resource *resource,
		      struct str scope);
/* Whether any resource of this installation has the scope. */
bool authority_knows_scope(const struct authority *authority, struct str scope);
/*
 * What the database calls a person or an address that is only counted: the same at every node, and
 * who has no root key cannot find out by trying them all.
 */
struct str authority_alias(const struct authority *authority, struct arena *arena, struct str who);
/* How strongly a person was recognised (acr): by a password. */
#define ACR_PASSWORD "urn:grantd:acr:password"
