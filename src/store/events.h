/* SPDX-License-Identifier: Apache-2.0 */
/* events: append only; how long a consent must be kept stands beside them, in proofs. */
#pragma once

#include "base/err.h"
#include "model/event.h"

struct task;
struct db;

MUST_CHECK enum err event_insert(struct task *task, struct db *db, const struct event *event);
/*
 * The consents that permissions of the grant rest on prove something up to then, whatever becomes
 * of the permissions: to be called before one is removed or replaced, by who has taken the grant.
 */
MUST_CHECK enum err event_prove_until(struct task *task, struct db *db, struct str user_id,
				      struct str grant_id, int64_t until);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err event_find(struct task *task, struct db *db, struct str id,
			       struct event *ret_event);

struct event_filter {
	struct str user_id;   /* STR_NONE: any */
	struct str client_id; /* STR_NONE: any */
	struct str grant_id;  /* STR_NONE: any */
	struct str before;    /* older than this event id; STR_NONE: from the newest */
	int64_t since;	      /* wall ms; 0: any */
};

/* Newest first, at most limit. */
MUST_CHECK enum err event_list(struct task *task, struct db *db, const struct event_filter *filter,
			       int64_t limit, struct event **ret_events, size_t *ret_count);

struct event_day {
	int64_t day; /* wall ms / DAY_MS */
	int64_t count;
};

/*
 * How many events of the kinds "token.issued" and "token.refreshed" per day: for the charts. Of the
 * filter user_id, client_id and since count.
 */
MUST_CHECK enum err event_count_uses(struct task *task, struct db *db,
				     const struct event_filter *filter, struct event_day **ret_days,
				     size_t *ret_count);
/* The newest event's time, 0 without one: the clock's mark after a restart. */
MUST_CHECK enum err event_newest(struct task *task, struct db *db, int64_t *ret_at);
