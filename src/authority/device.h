/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents on devices without a browser (RFC 8628): such an agent asks here, shows a code, and a
 * person types it at /device in a browser of their own. From there on it is a request like any
 * other (consent.h); that it was answered the device learns by asking (token.h). Off by default:
 * whoever is sent somebody else's code can be talked into letting a stranger in.
 *
 * Of a user code the database has a keyed tag, and the code itself follows from the request's id by
 * another one: who has a copy of the database, but not the root key, can neither find nor show it.
 * A new root key makes the codes that are out wrong; they are over in ten minutes anyway.
 */
#pragma once

#include "authority/authority.h"
#include "model/auth_request.h"
#include "model/client.h"
#include "model/user.h"

/* May this client ask from a device, as the operator's policy and its registration say? */
bool device_is_for(const struct authority *authority, const struct client *client);

/* A device's question; lies in task memory. */
struct device_wish {
	struct client client;
	struct str scope, resource; /* STR_NONE: not sent */
	size_t resource_count;
	struct str conditions; /* authorization_details; STR_NONE: not sent */
	struct str jkt;	       /* the key that must ask for the tokens; STR_NONE: any */
	struct str source;     /* address */

	/* out, on OK */
	struct str device_code;
	struct str user_code; /* XXXX-XXXX */
	struct auth_request request;
	int64_t retry_after; /* with ERR_THROTTLED: seconds */

	/* for the rules */
	const struct authority *authority;
	then_fn *then;
	unsigned tries;
};

/*
 * Parks; then(task, result, wish), where ERR_CONFLICT says that three codes in a row were taken. Or
 * at once ERR_CLIENT_NOT_ALLOWED (also when the operator has not turned it on), ERR_SCOPE,
 * ERR_TARGET, ERR_DETAILS, ERR_THROTTLED.
 */
MUST_CHECK enum err device_ask(struct task *task, const struct authority *authority,
			       struct device_wish *wish, then_fn *then);

/* A person has typed a code; lies in task memory. */
struct device_entry {
	struct str typed; /* in any case, with or without the dash */
	struct user user;
	struct str browser; /* value of the browser cookie */
	struct str source;  /* address */
	struct str request_id;

	struct auth_request request; /* out: the person's to answer in this browser */
	int64_t retry_after;	     /* out, with ERR_THROTTLED: seconds */
	then_fn *then;		     /* for the rules */
};

/*
 * Parks; then(task, result, entry). ERR_NOT_FOUND: no device waits with that code, or somebody else
 * has taken it up (counted); ERR_THROTTLED: too many such ones by this person or from this network.
 */
MUST_CHECK enum err device_enter(struct task *task, const struct authority *authority,
				 struct device_entry *entry, then_fn *then);

/*
 * The code of a device's request as its person reads it. ERR_NOT_FOUND: not any more (see above).
 */
MUST_CHECK enum err device_user_code(struct task *task, const struct authority *authority,
				     const struct auth_request *request, struct str *ret_code);
/* XXXX-XXXX of what was typed; STR_NONE when that is no code. */
struct str device_code_written(struct arena *arena, struct str typed);
