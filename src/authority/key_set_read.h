/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One reading of the keys that a client publishes (jwks_uri, RFC 7591 2), and what of the answer is
 * kept (a JWK set, RFC 7517 5). Private to key_sets. Who reads owns the struct and all that it
 * borrows until the row is kept.
 */
#pragma once

#include "authority/key_sets.h"
#include "http/outgoing.h"
#include "store/key_sets.h"

#define KEY_SET_RETRY_MS (5 * MINUTE_MS) /* from one try to the next that somebody brings about */

/* Texts borrowed for as long as the reading takes. */
struct key_set_reading {
	const struct authority *authority;
	struct key_set_place place;
	struct outgoing_answer answer; /* of the task that reads */
	struct key_set_row row;	       /* what it comes to; texts of that task */
	bool is_news;		       /* it is another set than before; as key_set_keep found */
};

/*
 * As outgoing_get: then(task, result, arg) goes on at the task's home. ERR_CLIENT: as
 * key_set_check_place.
 */
MUST_CHECK enum err key_set_read(struct task *task, struct key_set_reading *reading, then_fn *then,
				 void *arg);
/* Of the answer: reading->row. ERR_CLIENT_DOCUMENT; result, when that is a failure. */
MUST_CHECK enum err key_set_judge(struct task *task, struct key_set_reading *reading,
				  enum err result);
/* A write_fn: the row; reading->is_news. ERR_NOT_FOUND: no keys of it are wanted any more. */
MUST_CHECK enum err key_set_keep(struct task *task, struct db *db, void *reading);

/* For the next round: the set of that client may have a newer version. */
void key_sets_note_miss(struct key_sets *key_sets, struct str client_id);
