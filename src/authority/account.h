/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person (or an operator) does with grants that are there: look, pause, resume, change the
 * end, take a permission away, revoke. Each is one transaction with its event; stopping also queues
 * the resource's on_stop.
 */
#pragma once

#include "authority/authority.h"
#include "model/event.h"
#include "model/grant.h"

/*
 * Who acts. An operator may pause, resume what an operator paused, and revoke; never extend, widen
 * or take back a pause of the person.
 */
struct actor {
	struct str kind;    /* "user" or "operator" */
	struct str user_id; /* the person; for an operator STR_NONE: any grant */
	struct str request_id;
	struct str address; /* sealed with the event of a person */
};

/* Who acts through which installation of which grant. */
struct sub_agent_named {
	struct str grant_id;
	struct str family_id;
	struct str path;
};

/*
 * All: ERR_NOT_FOUND for a grant that is not the actor's (never FORBIDDEN: ids are not confirmed).
 */
MUST_CHECK enum err account_pause(struct task *task, const struct authority *authority,
				  const struct actor *actor, struct str grant_id);
/* Takes the actor's own pause back. ERR_FORBIDDEN when it was the other's. */
MUST_CHECK enum err account_resume(struct task *task, const struct authority *authority,
				   const struct actor *actor, struct str grant_id);
MUST_CHECK enum err account_revoke(struct task *task, const struct authority *authority,
				   const struct actor *actor, struct str grant_id);
/*
 * duration as on the consent page, counted from now. scope STR_NONE: every permission that is not
 * over; what is over comes back by its own name only. ERR_REQUEST.
 */
MUST_CHECK enum err account_set_end(struct task *task, const struct authority *authority,
				    const struct actor *actor, struct str grant_id,
				    struct str scope, struct str duration);
/* The last one is the grant: it is revoked. */
MUST_CHECK enum err account_remove_scope(struct task *task, const struct authority *authority,
					 const struct actor *actor, struct str grant_id,
					 struct str scope);
/* Ends one installation. */
MUST_CHECK enum err account_end_family(struct task *task, const struct authority *authority,
				       const struct actor *actor, struct str grant_id,
				       struct str family_id);
/*
 * Stops who acts through an installation, by the path that model/delegation.h spells, and whoever
 * acts through them; "" is all of them, and none may come. Until they are allowed again.
 * ERR_NOT_FOUND.
 */
MUST_CHECK enum err account_stop_sub_agent(struct task *task, const struct authority *authority,
					   const struct actor *actor,
					   const struct sub_agent_named *named);
MUST_CHECK enum err account_allow_sub_agent(struct task *task, const struct authority *authority,
					    const struct actor *actor,
					    const struct sub_agent_named *named);
/* Pauses every live grant of the person. */
MUST_CHECK enum err account_pause_all(struct task *task, const struct authority *authority,
				      const struct actor *actor, int64_t *ret_paused);
