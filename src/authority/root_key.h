/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root key's succession (DESIGN 6). A root key that is new in the file opens and makes nothing
 * until it is made the current one, which is refused as long as a node does not have it; the number
 * of the current one is in the database, and every node follows. What lies under another root is
 * then moved by a job, in small transactions, each of which can be done again. Data keys of people
 * and the signing keys stay the same; only what they are wrapped in changes.
 */
#pragma once

#include "authority/account.h"
#include "authority/authority.h"

/*
 * Holds the file against what the database knows of its root keys, and takes the current one up.
 * ERR_CONFIG: never set up. ERR_CRYPTO, with what to do: a key that is not this database's, one
 * that is missing.
 */
MUST_CHECK enum err root_key_take_up(struct task *task, struct store *store, struct keyring *keys,
				     struct str file);
/* For a database that is being set up: inside a transaction, the current root is written down. */
MUST_CHECK enum err root_key_found(struct task *task, struct db *db, struct keyring *keys);
/* "NUMBER FINGERPRINT\n" of each in the file, by which nodes are compared. */
struct str root_key_list(struct arena *arena, const struct keyring *keys);

/*
 * The newest root key of the file becomes the current one, unless it is; the job does the rest.
 * ERR_CONFLICT: a node that serves now does not have that key (it is named), or there is
 * nothing to do.
 */
MUST_CHECK enum err root_key_begin(struct task *task, const struct authority *authority,
				   const struct actor *actor);
/* Takes up what another node made current. */
MUST_CHECK enum err root_key_follow(struct task *task, const struct authority *authority);
/* Moves a few keys to the current root; *ret_more is false when there are none left. */
MUST_CHECK enum err root_key_rewrap(struct task *task, const struct authority *authority,
				    bool *ret_more);
