/* SPDX-License-Identifier: Apache-2.0 */
/* One reading of a client's published keys. Private to key_sets. */
#pragma once

#include "authority/key_sets.h"
#include "http/outgoing.h"
#include "store/key_sets.h"

#define KEY_SET_RETRY_MS (5 * MINUTE_MS) /* from one try to the next that somebody brings about */

/* Texts borrowed for as long as the reading takes. */
struct key_set_reading {
	const struct authority *authority;
	struct str client_id;
	struct str uri;
	bool is_operators; /* the policy of domains is not for what the operator wrote */
	struct outgoing_answer answer;
	struct key_set_row row; /* what it comes to */
	bool is_news;		/* it is another set than before; as key_set_keep found */
};

/* As outgoing_get. ERR_CLIENT: the operator's policy is against it. */
MUST_CHECK enum err key_set_read(struct task *task, struct key_set_reading *reading, then_fn *then,
				 void *arg);
/* Of the answer: what is to be kept. ERR_CLIENT_DOCUMENT; result, when that is a failure. */
MUST_CHECK enum err key_set_judge(struct task *task, struct key_set_reading *reading,
				  enum err result);
/* A write_fn: the row. */
MUST_CHECK enum err key_set_keep(struct task *task, struct db *db, void *reading);

/* For the next round: the set of that client may have a newer version. */
void key_sets_note_miss(struct key_sets *key_sets, struct str client_id);
