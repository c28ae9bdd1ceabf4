/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What documents and key sets have in common when they are read for a person who has signed in
 * (DESIGN 10): the account that is kept of it, and what the answer of a host that an agent named
 * must be like. Nothing is fetched here (http/outgoing.h).
 */
#pragma once

#include "authority/authority.h"

struct outgoing_answer;

/* For whom, and from where. */
struct fetch {
	const struct authority *authority;
	struct str user_id;
	bool is_new_host;    /* nothing was read from it before */
	int64_t retry_after; /* out, with ERR_THROTTLED: seconds */
};

/* So many for a person, and of these so many to new hosts. ERR_THROTTLED. */
MUST_CHECK enum err fetch_check(struct task *task, struct fetch *fetch);
/* The same, and then it counts. */
MUST_CHECK enum err fetch_spend(struct task *task, struct fetch *fetch);
/* 200, and JSON by its name. ERR_CLIENT_DOCUMENT, in words for who reads it. */
MUST_CHECK enum err fetch_check_answer(struct task *task, struct str url,
				       const struct outgoing_answer *answer);
