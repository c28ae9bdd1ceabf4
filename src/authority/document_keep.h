/* SPDX-License-Identifier: Apache-2.0 */
/* A document that was read or given, on its way into the store. Private to documents. */
#pragma once

#include "authority/documents.h"
#include "model/event.h"

struct document_keep {
	const struct authority *authority;
	struct str user_id; /* for whom it was read; STR_NONE: the operator pins it */
	int64_t life;
	int64_t began_at;	    /* when it was asked for */
	struct document_need *need; /* whose it is, for the step after the commit */

	struct document document;
	struct document_row row;
	struct event event;
	bool is_kept;
};

/* Parses it; authority, user_id, life and began_at are set. ERR_CLIENT_DOCUMENT. */
MUST_CHECK enum err document_keep_plan(struct task *task, struct str url, struct str text,
				       struct document_keep *keep);
/*
 * A write_fn: client, row, and an event when the client is new or another one than before.
 * ERR_CLIENT_DOCUMENT: nobody could begin with it (key_set_comes_too_late).
 */
MUST_CHECK enum err document_keep_write(struct task *task, struct db *db, void *keep);
