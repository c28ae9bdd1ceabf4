/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of a SQLite database while it is served, and putting one back. A backup is two files: one
 * with everything but the people's keys, and one with those alone, which is good for 30 days; a
 * backup must not undo an erasure, which destroys a person's key (DESIGN 6). PostgreSQL has tools
 * of its own for this (docs/operator.md).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

struct task;
struct store;

#define BACKUP_KEYS_LIFE_MS (30 * DAY_MS)

struct backup_files {
	struct str file;
	struct str keys; /* by default FILE.keys */
};

/* True for a database that this can copy. */
bool backup_is_ours(struct str database);

/*
 * One consistent state, as of some moment after the call: readers and the writer go on meanwhile.
 * Both files are new, ours alone to read, and whole: they get their names when they are on disk.
 * Until then they are grantd-backup.unfinished* beside it, which the next backup there removes.
 * Given up when *is_over becomes true. ERR_CONFLICT: a file of that name is there, or another
 * backup is being written to that folder. ERR_CONFIG: not
 * SQLite. ERR_IO with the reason.
 */
MUST_CHECK enum err store_backup(struct task *task, struct store *store,
				 const struct backup_files *files, const atomic_bool *is_over);

/*
 * Puts the two files together as a database at `place` (a path, replaced if it is there), with
 * everything checked that can be without the root key. *ret_made_at: when it was made. ERR_CONFIG
 * says what is wrong with which file.
 */
MUST_CHECK enum err backup_assemble(struct task *task, const struct backup_files *files,
				    struct str place, int64_t *ret_made_at);
/*
 * The assembled database becomes the one at `place`; what was there is kept as
 * PLACE.before-restore. A kill -9 leaves the old one or the new one, or none and the old one aside
 * when it was damaged: then backup_install is to be called again. The caller holds the place.
 */
MUST_CHECK enum err backup_install(struct task *task, struct str assembled, struct str place);
/* Removes an assembled database with all that belongs to it. */
void backup_discard(struct task *task, struct str assembled);
