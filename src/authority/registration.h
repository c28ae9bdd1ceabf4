/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents that register themselves and keep their registration (RFC 7591, RFC 7592), by the
 * operator's policy: not at all, everybody, or who has a token of the operator. Nothing they say is
 * proven by it; it gives them a client id, never a power: each grant is a person's, who is asked
 * every time.
 */
#pragma once

#include "authority/authority.h"
#include "model/client.h"
#include "model/registration.h"

/* One that waits so short may be in the hands of a person right now. */
#define REGISTRATION_IN_HANDS_MS HOUR_MS

/* What the door hands over, and what comes back. */
struct registering {
	struct str body; /* of a new registration or an update */
	/* the initial access token or, with client_id, the registration access token; STR_NONE */
	struct str token;
	struct str client_id; /* whose registration; STR_NONE for a new one */
	struct str source;    /* address */
	struct str request_id;

	struct client client;
	struct registration registration;
	struct str secret;	 /* made now, or known to the client: shown this once; STR_NONE */
	struct str access_token; /* the registration access token that is good from now on */
	int64_t retry_after;	 /* with ERR_THROTTLED */

	const struct authority *authority;
	then_fn *then;
	void *work;
};

/*
 * A new client. ERR_NOT_FOUND: registration is off; ERR_TOKEN: the initial token is missing or does
 * not stand; ERR_THROTTLED: too many from there, or too many that nobody uses; registration_parse's
 * refusals.
 */
MUST_CHECK enum err registration_open(struct task *task, const struct authority *authority,
				      struct registering *registering, then_fn *then);
/*
 * The three of RFC 7592. ERR_TOKEN: no such client, or not its token, which are the same to who
 * asks; ERR_FORBIDDEN: the operator has disabled it. ERR_NOT_FOUND as above.
 */
MUST_CHECK enum err registration_read(struct task *task, const struct authority *authority,
				      struct registering *registering);
/*
 * Replaces all of it by what the body says: what it leaves out is as in a new registration, and a
 * new registration access token takes the place of the old one.
 */
MUST_CHECK enum err registration_change(struct task *task, const struct authority *authority,
					struct registering *registering, then_fn *then);
/* Ends the client for good, with all that people allowed it. ERR_THROTTLED: as above. */
MUST_CHECK enum err registration_delete(struct task *task, const struct authority *authority,
					struct registering *registering, then_fn *then);
struct expired {
	struct str *clients; /* their ids, task memory */
	size_t count;
	int64_t listed; /* the longer of two lists; below the limit: there are no more */
};

/*
 * For the jobs, in a transaction: removes some that nobody used for longer than the operator keeps
 * them, with an event each.
 */
MUST_CHECK enum err registration_expire(struct task *task, struct db *db,
					const struct authority *authority, int64_t limit,
					struct expired *ret_expired);
/* Logs which, once it is committed. */
void registration_tell_expired(struct task *task, const struct expired *expired);
/*
 * For the operator: one that nobody allowed anything goes now, and is on no record. ERR_NOT_FOUND;
 * ERR_CONFLICT: somebody uses it, or it did not register itself.
 */
MUST_CHECK enum err registration_forget(struct task *task, const struct authority *authority,
					struct str client_id);
