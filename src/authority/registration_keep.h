/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent says of itself (RFC 7591 2), on its way into the store: what of it becomes the
 * client, and the transactions that make, replace and end a registration. What the operator may
 * have changed since the request came is looked at in there. Private to registration.
 */
#pragma once

#include "authority/registration.h"
#include "authority/registration_metadata.h"
#include "model/event.h"

/* Task memory. */
struct registration_keep {
	struct registering *registering; /* authority is set */
	struct registration_wish wish;
	struct client client;
	struct registration registration;
	struct str token_hash; /* of the token that came; STR_NONE: none */
	struct event event;
	struct str gone; /* out: another that gave way; STR_NONE */
};

/*
 * What the wish says, put into the client; the rest of it stays. ERR_METADATA: they do not go
 * together (client_check).
 */
MUST_CHECK enum err registration_keep_apply(struct task *task, const struct registration_keep *keep,
					    struct client *client);
/* ERR_FORBIDDEN: the operator has disabled it. */
MUST_CHECK enum err registration_check_active(struct task *task, const struct client *client);
/* For the event. Task memory. */
MUST_CHECK enum err registration_keep_describe(struct task *task,
					       const struct registration_keep *keep,
					       struct str *ret_details);

/* --- each a write_fn --- */

/*
 * Client and registration. ERR_TOKEN: the initial access token is used up; ERR_THROTTLED: too many
 * that nobody uses, all of them in the hands of somebody; ERR_METADATA: nobody could begin with it
 * (key_set_comes_too_late).
 */
MUST_CHECK enum err registration_keep_new(struct task *task, struct db *db, void *keep);
/*
 * For who still has the registration access token, else ERR_TOKEN; keep->client is what it came to.
 * ERR_FORBIDDEN, ERR_METADATA: as the client is now, it is disabled, or that does not go with it.
 */
MUST_CHECK enum err registration_keep_change(struct task *task, struct db *db, void *keep);
/* The end of the client, with all that people allowed it. ERR_TOKEN. */
MUST_CHECK enum err registration_keep_end(struct task *task, struct db *db, void *keep);
