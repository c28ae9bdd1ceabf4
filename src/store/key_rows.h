/* SPDX-License-Identifier: Apache-2.0 */
/* keys: signing keys (private parts sealed by the key holder) and named facts such as the root's fingerprint. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

/* The same facts as crypto/keys.h's key_record; the store does not know the crypto room, so both spell them. */
struct key_row {
	struct str id;
	struct str purpose;
	struct str alg; /* "ES256" */
	struct str public_jwk;
	struct str sealed;
	int64_t root_number;
	int64_t created_at;
	int64_t not_before;
	int64_t retire_at;
};

MUST_CHECK enum err key_row_insert(struct task *task, struct db *db, const struct key_row *row);
MUST_CHECK enum err key_row_list(struct task *task, struct db *db, struct key_row **ret_rows,
				 size_t *ret_count);

/* Named values of the installation: "issuer", "root_fingerprint". ERR_NOT_FOUND. */
MUST_CHECK enum err fact_find(struct task *task, struct db *db, struct str name,
			      struct str *ret_value);
/* Only ever set once: ERR_CONFLICT when it is there with another value. */
MUST_CHECK enum err fact_set(struct task *task, struct db *db, struct str name, struct str value);
