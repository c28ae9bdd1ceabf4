/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast passwords may be guessed (PAGES.md, Sign-in). Wrong ones are counted per account and
 * hour, in the store, so that a restart or another node forgets nothing. From the tenth on there is
 * a delay: 1 s for a source that has not failed yet, doubling to 60 s for one that has; nothing
 * locks. A browser that has signed in before has a count of its own, so that strangers' guesses do
 * not keep its owner out.
 */
#pragma once

#include "authority/authority.h"

struct login_throttle {
	struct str account; /* counter names: hashes, for they are kept in the clear */
	struct str source;
};

/* Whose password is being guessed, and from where. */
struct login_guess {
	struct str username;	 /* normalised */
	struct str user_id;	 /* STR_NONE: nobody of that name */
	struct str source;	 /* address */
	struct str browser_hash; /* STR_NONE: no browser */
};

/* Reads the store. */
MUST_CHECK enum err login_throttle_open(struct task *task, const struct authority *authority,
					const struct login_guess *guess,
					struct login_throttle *ret_throttle);
/* ERR_THROTTLED with the seconds to wait. */
MUST_CHECK enum err login_throttle_check(struct task *task, const struct authority *authority,
					 const struct login_throttle *throttle,
					 int64_t *ret_retry_after);
/* Counts a wrong password; inside a transaction. */
MUST_CHECK enum err login_throttle_count(struct task *task, struct db *db,
					 const struct login_throttle *throttle);
/* The right password: the account starts afresh; inside a transaction. */
MUST_CHECK enum err login_throttle_clear(struct task *task, struct db *db,
					 const struct login_throttle *throttle);
