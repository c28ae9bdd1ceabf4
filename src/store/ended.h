/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has ended, written down beside the root key as well: a restore puts the database back to
 * what it was, and this file says what must stay ended all the same (DESIGN 6). A line per act,
 * "AT VERB ID MORE", appended and synced before the transaction of the act commits, so that nothing
 * is acknowledged that a restore would revive. An act whose commit then fails has its line too: a
 * restore ends rather too much, or lets live what somebody asked to let live. Ids only, no personal
 * data.
 *
 * The first line says since when the file is complete. A line that could not be written (a full
 * disk) does not keep the act from its commit: a mark in the first line says so at once, and "lost"
 * as soon as there is room for it; the file is complete from there on.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;
struct ended;	    /* the file, shared by all writers */
struct ended_notes; /* of a writing connection: the lines of the transaction it is in */

/* --- writing --- */

/* Makes the file if it is missing. ERR_CONFIG: there is something else in its place. */
MUST_CHECK enum err ended_open(struct task *task, struct str path, struct ended **ret_ended);
void ended_free(struct ended **ended);
struct ended_notes *ended_notes_new(struct ended *ended);
void ended_notes_free(struct ended_notes **notes);

/* In the transaction of the act. more: STR_NONE, or a word. Does nothing where no file is kept. */
void ended_note(struct task *task, struct db *db, const char *verb, struct str id, struct str more);
/* How much is noted, and back to there when a part of the transaction is rolled back. */
size_t ended_mark(const struct db *db);
void ended_back_to(struct db *db, size_t mark);
/* Before the commit. */
void ended_keep(struct task *task, struct db *db);
/*
 * Right after it, when that commit failed, or nobody knows: what is on record need not be in the
 * database.
 */
void ended_unkept(struct task *task, struct db *db);

/* --- reading --- */

struct ended_line {
	int64_t at;
	struct str verb;
	struct str id;
	struct str more; /* STR_NONE: none */
};

struct ended_record {
	struct ended_line *lines;
	size_t count;
	/* when the file was made, which tells it from another node's; 0: no file */
	int64_t began_at;
	int64_t since; /* complete from then on; INT64_MAX: not at all, or there is no file */
};

/*
 * In task memory, in the order they were written. A damaged line makes the record incomplete. A
 * last line without its end was never acknowledged. ERR_CONFIG: unreadable.
 */
MUST_CHECK enum err ended_read(struct task *task, struct str path, struct ended_record *ret_record);
/*
 * When the newest act began that the database must know of, by the last lines; 0: none, there is no
 * file, or the last commit failed.
 */
MUST_CHECK enum err ended_newest(struct task *task, struct str path, int64_t *ret_at);
/*
 * Another node's record added to this one: each one's lines in their own order, the earlier of two
 * first, complete from when both are.
 */
void ended_add(struct task *task, struct ended_record *record, const struct ended_record *other);
