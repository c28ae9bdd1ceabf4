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

struct key_root;

/* The fact that says of which installation a database is; its backups are told apart by it. */
#define ROOT_FIRST STR("root_fingerprint")

/*
 * Holds the file against what the database knows of its root keys, and takes the current one up.
 * ERR_CONFIG: never set up. ERR_CRYPTO, with what to do: a key that is not this database's, one
 * that is missing.
 */
MUST_CHECK enum err root_key_take_up(struct task *task, struct store *store, struct keyring *keys,
				     struct str file);
/*
 * For a database that is being set up: inside a transaction that has stepped the mark "keys", so
 * that two take turns, the current root is written down. ERR_CONFLICT: another one was first, with
 * another root key.
 */
MUST_CHECK enum err root_key_found(struct task *task, struct db *db, struct keyring *keys);
/* The number of the current root, as the database has it; 0: it was never set up. */
MUST_CHECK enum err root_key_current(struct task *task, struct db *db, uint32_t *ret_number);
/* From this transaction on it is that one. */
MUST_CHECK enum err root_key_set_current(struct task *task, struct db *db,
					 const struct key_root *root);
/* "NUMBER FINGERPRINT\n" of each in the file, by which nodes are compared. */
struct str root_key_list(struct arena *arena, const struct keyring *keys);

/*
 * The newest root key of the file becomes the current one, unless it is; the job does the rest.
 * ERR_CONFLICT: a node that serves now does not have that key (it is named), or there is
 * nothing to do.
 */
MUST_CHECK enum err root_key_begin(struct task *task, const struct authority *authority,
				   const struct actor *actor);
/* Takes up what another node made current. ERR_BUSY: this node does not have it (keys_check). */
MUST_CHECK enum err root_key_follow(struct task *task, const struct authority *authority);
/*
 * That, and signing_follow first: all that another node has done with keys. Neither keeps the other
 * from being done.
 */
MUST_CHECK enum err root_key_follow_all(struct task *task, const struct authority *authority);

/* How far a walk through what lies under other roots has come. Begins with zeroes. */
struct root_walk {
	uint32_t to;	    /* the current root as the walk began */
	uint32_t number;    /* whose people it is at */
	char after[64];	    /* the last one's id */
	int64_t left;	    /* keys that did not open, so far */
	int64_t rest_until; /* what is left was tried a moment ago */
};

/*
 * Moves a few keys to the current root. One that does not open is logged and stays; it is tried
 * again an hour later. *ret_more is false when there is nothing to do now.
 */
MUST_CHECK enum err root_key_rewrap(struct task *task, const struct authority *authority,
				    struct root_walk *walk, bool *ret_more);
