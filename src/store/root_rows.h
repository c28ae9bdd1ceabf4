/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies under which root key: person keys (user_keys), private parts of signing keys (keys) and
 * the refresh tokens of installations (families), and how the first two are moved to another. Root
 * keys themselves are never in the database.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "crypto/keys.h"

struct task;
struct db;

struct root_use {
	int64_t people;
	int64_t signing_keys;
	int64_t installations;	     /* whose refresh tokens still count */
	int64_t installations_until; /* when the last of them is over if it stays away; 0: none */
};

/* No more than `most` of a kind are counted. */
MUST_CHECK enum err root_use_find(struct task *task, struct db *db, uint32_t number, int64_t most,
				  struct root_use *ret_use);
/*
 * Installations that have moved away from it with their last refresh, so short ago that its answer
 * may have been lost and they come with the token of before. Looks at every family.
 */
MUST_CHECK enum err root_count_just_moved(struct task *task, struct db *db, uint32_t number,
					  int64_t *ret_count);
/*
 * The lowest number above `after` by which something is sealed that the database cannot do without;
 * 0: there is none.
 */
MUST_CHECK enum err root_next_needed(struct task *task, struct db *db, uint32_t after,
				     uint32_t *ret_number);

/* The same of people's keys alone. */
MUST_CHECK enum err root_next_of_people(struct task *task, struct db *db, uint32_t after,
					uint32_t *ret_number);

struct wrapped_key {
	struct str user_id;
	struct str bytes;
};

struct root_place {
	uint32_t number;
	struct str after; /* a user's id; "": from the first */
};

/* Under that root, in order of their ids, at most `limit`. */
MUST_CHECK enum err root_list_people(struct task *task, struct db *db,
				     const struct root_place *from, int64_t limit,
				     struct wrapped_key **ret_keys, size_t *ret_count);
/* Only as long as it is as it was read: another node may have moved it, or an erasure ended it. */
MUST_CHECK enum err root_move_person(struct task *task, struct db *db,
				     const struct wrapped_key *from, struct str bytes);
MUST_CHECK enum err root_move_signing_key(struct task *task, struct db *db,
					  const struct key_record *from, struct str sealed);
