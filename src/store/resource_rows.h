/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resources: which resource files were last taken up, by their hash, so that a change is noticed
 * also when it was made while the daemon was down, and by one node only. What they say stays in
 * the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct resource_row {
	struct str name;
	struct str uri;
	struct str file_hash; /* SHA-256 in hex */
};

/* All, by name. */
MUST_CHECK enum err resource_row_list(struct task *task, struct db *db,
				      struct resource_row **ret_rows, size_t *ret_count);
/* *ret_changed is false when it was there just so. */
MUST_CHECK enum err resource_row_put(struct task *task, struct db *db,
				     const struct resource_row *row, bool *ret_changed);
/* *ret_changed is false when it was not there. */
MUST_CHECK enum err resource_row_delete(struct task *task, struct db *db, struct str name,
					bool *ret_changed);
