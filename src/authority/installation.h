/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person does with one installation of an agent (a token family): look at what is known of
 * it, name it, stop it for now, let it go on, and let this one do more. Ending it is account.h's.
 * Each is one transaction with its event.
 */
#pragma once

#include "authority/account.h"
#include "model/client.h"
#include "model/family.h"
#include "model/user.h"

#define INSTALLATION_NAME_MAX 60 /* characters */

/* What its person reads of it. "" where nothing is known. */
struct installation {
	struct str name; /* as the person named it */
	struct str first_address;
	struct str last_address;
};

/* user with the data key. */
MUST_CHECK enum err installation_read(struct task *task, const struct authority *authority,
				      const struct user *user, const struct family *family,
				      struct installation *ret_installation);

struct installation_named {
	struct str grant_id;
	struct str family_id;
};

/*
 * All: ERR_NOT_FOUND for one that is not the actor's, ERR_FORBIDDEN for an operator: installations
 * are the person's affair. ERR_CONFLICT for one that is over.
 */
/* "" takes the name away. ERR_REQUEST: too long, or characters that nobody would see. */
MUST_CHECK enum err installation_name(struct task *task, const struct authority *authority,
				      const struct actor *actor,
				      const struct installation_named *named, struct str name);
MUST_CHECK enum err installation_pause(struct task *task, const struct authority *authority,
				       const struct actor *actor,
				       const struct installation_named *named);
MUST_CHECK enum err installation_resume(struct task *task, const struct authority *authority,
					const struct actor *actor,
					const struct installation_named *named);

/*
 * What more it may be let do: what its resource offers and the operator's ceiling of the client
 * leaves, beyond what it has.
 */
struct scope_set installation_offers(struct arena *arena, const struct resource *resource,
				     const struct client *client, const struct grant *grant,
				     const struct family *family, int64_t now);

/* When the one that it may be let do would end; NEVER: when the person revokes it. */
int64_t installation_offer_end(const struct grant *grant, struct str scope, int64_t now);

/* The person's yes to more, for this installation alone; a consent like any other. */
struct widening {
	struct installation_named named;
	struct scope_set scope;	 /* ticked */
	const struct str *words; /* per scope: JSON of its title, can and cannot as shown */
	struct str sentences;	 /* JSON array: as they stood on the page, in order */
	struct str language;
	struct str version;
	struct str user_agent; /* sealed with the event, as the sentences are */
};

/*
 * Its next refresh returns the wider set; what it has goes on until then. A permission that the
 * grant does not have, or that is over, lasts as long as the grant does now, and is over for the
 * installations that had it; one that the grant has stays as it was given, and its words say what
 * this one can too. ERR_REQUEST: nothing is ticked, or what is not offered. ERR_CONFLICT also when
 * the end is another one meanwhile.
 */
MUST_CHECK enum err installation_widen(struct task *task, const struct authority *authority,
				       const struct actor *actor, const struct widening *widening);
