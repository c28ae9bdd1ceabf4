/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: signing keys (private parts sealed by the key holder) and named facts such as the root's
 * fingerprint.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "crypto/keys.h"

struct task;
struct db;

MUST_CHECK enum err key_row_insert(struct task *task, struct db *db,
				   const struct key_record *record);
/* All that ever were, oldest first. */
MUST_CHECK enum err key_row_list(struct task *task, struct db *db, struct key_record **ret_records,
				 size_t *ret_count);
/* Those whose tokens still count: what the key holder is to load. */
MUST_CHECK enum err key_row_list_live(struct task *task, struct db *db,
				      struct key_record **ret_records, size_t *ret_count);
/* Those that have a private part yet. */
MUST_CHECK enum err key_row_list_sealed(struct task *task, struct db *db,
					struct key_record **ret_records, size_t *ret_count);
/* When it signs from. */
MUST_CHECK enum err key_row_begin(struct task *task, struct db *db, struct str id,
				  int64_t not_before);
/* The other keys of its purpose leave then, unless they leave before. */
MUST_CHECK enum err key_row_retire_others(struct task *task, struct db *db,
					  const struct key_record *stays, int64_t retire_at);
/*
 * Private parts of keys that are dead. The rows stay: their public parts are few and small, and
 * what was signed with them may have to be checked.
 */
MUST_CHECK enum err key_row_wipe(struct task *task, struct db *db, int64_t *ret_wiped);

/* Named values of the installation: "issuer", "root_fingerprint". ERR_NOT_FOUND. */
MUST_CHECK enum err fact_find(struct task *task, struct db *db, struct str name,
			      struct str *ret_value);
/* Only ever set once: ERR_CONFLICT when it is there with another value. */
MUST_CHECK enum err fact_set(struct task *task, struct db *db, struct str name, struct str value);
