/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each judgement of a refresh token means: the event that it leaves, whom it ends, the reason
 * that a program reads. Private to refresh.
 */
#pragma once

#include "authority/seen.h"
#include "authority/token.h"
#include "model/event.h"

struct refreshing {
	const struct authority *authority;
	struct refresh_token token;
	uint32_t root_number; /* current as it began: what was foreseen must be what is written */
	struct standing standing;
	struct family as_read; /* where each run of the transaction begins */
	struct wish wish;
	enum rotation rotation; /* what was judged under the row's lock */
	bool is_new;		/* and it left its event */
	bool is_other_key;	/* the family is another key's, as it turned out */
	bool is_told;		/* the day's count of repeats is used up now */
	bool is_as_foreseen;	/* the row was as it had been read: `foreseen` is the answer */
	struct token_answer foreseen;
	struct family_seen seen; /* it comes from elsewhere than before */
	struct event event;
};

bool outcome_ends_family(enum rotation rotation);
/* The reason of a refusal (docs/agents.md); "" where tokens are issued. */
struct str outcome_reason(enum rotation rotation);
/* Of refreshing->rotation, in its transaction: event and end; is_new when it left its event. */
MUST_CHECK enum err outcome_write(struct task *task, struct db *db, struct refreshing *refreshing);
/* Once it is committed. */
void outcome_count(const struct task *task, const struct refreshing *refreshing);
