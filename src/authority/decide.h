/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The intersection rule (DESIGN 5), one pure function: what may this agent do, with this resource,
 * now? The token endpoint, introspection and userinfo ask it; the gateway will ask it for every
 * call.
 */
#pragma once

#include "config/resource.h"
#include "model/delegation.h"
#include "model/details.h"
#include "model/standing.h"

struct task;

enum decision { DECISION_ALLOW, DECISION_ASK, DECISION_DENY };

struct verdict {
	enum decision decision;
	/*
	 * a word a program can read: "user_disabled", "client_disabled", "revoked_by_user",
	 * "expired", "idle", "paused", "scope", "resource", "authorization_details", …; "" when
	 * allowed
	 */
	struct str reason;
	struct scope_set scope; /* what of the wish holds: allow and ask only */
	struct details details; /* what of these scopes only (RFC 9396); of others: all */
	int64_t expires_at;	/* no token may outlive this */
};

struct wish {
	struct scope_set
		/* what is asked; all of it must hold (deny "scope" otherwise) unless narrowing */
		scope;
	bool narrow;	     /* take what holds of it, deny only when nothing does */
	struct str resource; /* URI */
	struct scope_set
		/* the resource's scopes today, OpenID Connect's included; empty: removed */
		offered;
	/* the resource of today, for its operations; NULL: removed */
	const struct resource *target;
	struct scope_set token_scope; /* a token's own scopes, when one is judged */
	struct details token_details; /* and what of them only */
	struct details details; /* asked: narrower than what there is, or denied; none: all of it */
	bool has_token;
	int64_t token_issued_at; /* dead when older than the client's not_before */
	struct str jkt; /* the key that a new token is bound to (cnf); nothing is decided by it */
	/* who acts through the family's client; NULL: nobody */
	const struct delegation *delegation;
};

/* standing->family.id absent: without a family (the ceiling is the grant). Pure. */
struct verdict decide(struct arena *arena, const struct standing *standing, const struct wish *wish,
		      int64_t now);
