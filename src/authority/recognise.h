/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, as far as it is known: what of an agent's identity is proven to the person who is
 * asked, and what should make them careful. For the consent page. Of an agent that the operator
 * registered nothing needs proof.
 */
#pragma once

#include "authority/authority.h"
#include "model/client.h"
#include "model/grant.h"

struct db;

struct recognised {
	bool is_operators; /* registered by the operator: the rest is empty */
	struct str host;   /* of the metadata document; STR_NONE: it has none */
	struct str domain; /* what of it people register: the tail of host, without its port */
	struct str document_hash; /* SHA-256 of the document this is read from */
	/*
	 * it shows that it has the keys published there, or the answer goes to that domain by https
	 */
	bool is_proven;
	bool is_first;	    /* nobody here has ever allowed it */
	bool has_changed;   /* its name or addresses are others than when this person allowed it */
	bool mixes_scripts; /* within one word of its name, or in its host */
	struct str twin;    /* the name of another agent that looks the same; STR_NONE */
};

struct recognise_wish {
	const struct client *client;
	struct str user_id;
	struct str redirect_uri;   /* where the answer would go */
	const struct grant *grant; /* the live grant that a yes would add to; id absent: none */
};

/*
 * The identity of the agent that the grant's newest consent was given to, as events keep it.
 * STR_NONE: that consent does not say, or is gone.
 */
MUST_CHECK enum err recognise_consented(struct task *task, struct db *db, const struct grant *grant,
					struct str *ret_identity);

MUST_CHECK enum err recognise(struct task *task, struct db *db, const struct recognise_wish *wish,
			      struct recognised *ret);
