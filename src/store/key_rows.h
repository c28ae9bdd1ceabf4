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
/* All, oldest first. */
MUST_CHECK enum err key_row_list(struct task *task, struct db *db, struct key_record **ret_records,
				 size_t *ret_count);

/* Named values of the installation: "issuer", "root_fingerprint". ERR_NOT_FOUND. */
MUST_CHECK enum err fact_find(struct task *task, struct db *db, struct str name,
			      struct str *ret_value);
/* Only ever set once: ERR_CONFLICT when it is there with another value. */
MUST_CHECK enum err fact_set(struct task *task, struct db *db, struct str name, struct str value);
