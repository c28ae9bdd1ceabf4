/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent asks for, at whichever door it asks: the one resource, which of its scopes (RFC
 * 8707, RFC 6749 3.3), within what the operator lets it ask, and what of these only (RFC 9396).
 */
#pragma once

#include "authority/authority.h"
#include "model/client.h"
#include "model/details.h"

#define SCOPE_ASKED_MAX 4096 /* as text: each token carries it, beside the conditions */

struct scope_choice {
	const struct client *client;
	struct str scope, resource; /* as asked; STR_NONE: not sent */
	size_t resource_count;	    /* how often it was sent */
	struct str conditions;	    /* authorization_details; STR_NONE: not sent */

	/* out */
	const struct resource *chosen;
	struct scope_set asked; /* or the default; without offline_access, which means nothing */
	struct details details;
};

/* ERR_SCOPE, ERR_TARGET, ERR_DETAILS. */
MUST_CHECK enum err scope_choose(struct task *task, const struct authority *authority,
				 struct scope_choice *choice);
