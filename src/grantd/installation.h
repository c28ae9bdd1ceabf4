/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ties a database to its issuer and root key: facts written once by init, and the signing
 * keys. init completes them, serve and check hold them against the configuration.
 */
#pragma once

#include "config/config.h"
#include "crypto/keys.h"
#include "store/store.h"

/* store_open, with what an operator can do about a server that does not answer. */
MUST_CHECK enum err installation_open_store(struct task *task, const struct store_config *config,
					    struct store **ret_store);
/* Writes what is missing of facts and signing keys, in one transaction. ERR_CONFIG when a fact
 * differs. */
MUST_CHECK enum err installation_complete(struct task *task, struct store *store,
					  struct keyring *keys, const struct config *config,
					  size_t *ret_made);
/* ERR_CONFIG: another issuer, or never set up. ERR_CRYPTO: the root keys are not this
 * database's (root_key_take_up). */
MUST_CHECK enum err installation_check(struct task *task, struct store *store, struct keyring *keys,
				       const struct config *config);
/*
 * Makes the keys that a resource needs for itself. Where other nodes may serve the same database,
 * it comes back when they have had the time to load them: only then may a key sign.
 */
MUST_CHECK enum err installation_add_keys(struct task *task, struct store *store,
					  struct keyring *keys, const struct config *config);
/* That, and loads all keys. ERR_CRYPTO: wrong root key. */
MUST_CHECK enum err installation_load_keys(struct task *task, struct store *store,
					   struct keyring *keys, const struct config *config);
/* What a database says of the installation that it belongs to; STR_NONE: of none yet. */
struct installation {
	struct str issuer;
	struct str root_fingerprint;
};

MUST_CHECK enum err installation_look(struct task *task, struct store *store,
				      struct installation *ret_there);
/* ERR_CRYPTO when the root keys in that file are not those of the database. */
MUST_CHECK enum err installation_check_root(struct task *task, struct store *store,
					    const struct installation *there, struct str root_file);
/* True if the database knows a root key: then a missing root.key is lost, not new. */
MUST_CHECK enum err installation_has_root(struct task *task, struct store *store, bool *ret_has);
/* DIR/ended.log: what must stay ended when the database is put back (store/ended.h). */
struct str installation_ended_file(struct task *task, const struct config *config);
/*
 * The newest time that the database knows: of its events, and of the mark that the jobs keep when
 * nothing happens. 0: nothing has happened yet.
 */
MUST_CHECK enum err installation_newest(struct task *task, struct db *db, int64_t *ret_at);
/*
 * ERR_CONFIG when ended.log knows of what ended minutes after that: the database is an older copy
 * that was not put back by restore, or its last commits are gone, and what was revoked would live
 * again. Each act leaves an event, and the mark goes on, so one whose commit failed is no reason.
 */
MUST_CHECK enum err installation_check_age(struct task *task, struct store *store,
					   const struct config *config);
/* True while a grantd answers at the admin socket of the directory. */
bool installation_is_served(const struct config *config);
