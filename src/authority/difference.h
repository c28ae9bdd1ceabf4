/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent that is allowed something already asks for more (step-up): what of the question its
 * person said yes to before. Only to who proves to be that same installation, for a name proves
 * nothing (PAGES.md). Pure: no I/O, no clock.
 */
#pragma once

#include "config/resource.h"
#include "model/auth_request.h"
#include "model/standing.h"

/*
 * Whoever asks, only the installation that was let in before can use the answer: the code is worth
 * nothing without the client's secret or key, or without the DPoP key of that family (RFC 9449 10).
 * Which families are meant; a device proves neither, for it is another than the person's.
 */
enum difference_proof { PROOF_NONE, PROOF_CLIENT, PROOF_KEY };

enum difference_proof difference_proof_of(const struct auth_request *request,
					  const struct client *client);

/* now: user, client and grant as they are; its family is not looked at. */
struct difference_asked {
	const struct auth_request *request;
	const struct standing *now;
	const struct family *families; /* of the grant */
	size_t family_count;
	const struct resource *target;
	struct scope_set offered; /* the resource's scopes today, with OpenID Connect's */
};

struct difference {
	/* an installation of who asks stands, and may do something: the rest is of it */
	bool is_same;
	/*
	 * of the request: for which it would be given a token now, with no ask-first and no
	 * narrower authorization details than are asked
	 */
	struct scope_set already;
	struct scope_set besides; /* what it may do and does not ask for now */
};

/* What an installation may do now is decide()'s to say. */
struct difference difference_find(struct arena *arena, const struct difference_asked *asked,
				  int64_t now);
