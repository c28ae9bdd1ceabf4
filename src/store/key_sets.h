/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_sets: what was last read of the public keys that a client publishes at its jwks_uri, and when
 * it is read again. A row lives as long as its client has one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct key_set_row {
	struct str client_id;
	struct str uri;
	struct str jwks;    /* the last good one; STR_NONE: none yet */
	int64_t read_at;    /* when that reading began; 0: never */
	int64_t tried_at;   /* when a node last tried by itself; 0: never */
	int64_t due_at;	    /* when one does again; 0: not before somebody who may has asked */
	struct str problem; /* of the last try; STR_NONE: it was good */
	bool is_operators;  /* the operator wrote where they are, or pinned who did; of no write */
};

/* One whose time has come. */
struct key_set_due {
	struct str client_id;
	struct str uri;
	int64_t due_at;
	bool is_needed;	   /* the operator's own, in use by somebody, or never tried */
	bool is_operators; /* as above */
};

/*
 * In the transaction that writes the client: its keys are at that URI from now on (STR_NONE: not at
 * any). What was read of another URI is gone. due_at: when it is to be read; 0: as it was, or
 * nobody may yet.
 */
MUST_CHECK enum err key_set_want(struct task *task, struct db *db, struct str client_id,
				 struct str uri, int64_t due_at);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err key_set_find(struct task *task, struct db *db, struct str client_id,
				 struct key_set_row *ret_row);
/* Those due by now, the longest first. */
MUST_CHECK enum err key_set_list_due(struct task *task, struct db *db, int64_t now, int64_t limit,
				     struct key_set_due **ret_list, size_t *ret_count);
/*
 * Takes it for a try at tried_at (0: for none), due again at due_at: of several nodes one wins. A
 * row that is not as it was in the list is nobody's.
 */
MUST_CHECK enum err key_set_claim(struct task *task, struct db *db, const struct key_set_due *due,
				  int64_t tried_at, int64_t due_at, bool *ret_is_ours);
/* It is due now, unless it was tried or read after `before`. */
MUST_CHECK enum err key_set_hurry(struct task *task, struct db *db, struct str client_id,
				  int64_t before, int64_t now);
/* Between two clocks; what was read later than that from now was read by one that was ahead. */
#define KEY_SET_SKEW_MS MINUTE_MS

/*
 * A good set, of a reading that began at row->read_at. What is of another URI than is wanted now,
 * or began earlier than what is there, is let go; but what a clock that was ahead left gives way.
 */
MUST_CHECK enum err key_set_put(struct task *task, struct db *db, const struct key_set_row *row);
MUST_CHECK enum err key_set_note_problem(struct task *task, struct db *db,
					 const struct key_set_row *row);
