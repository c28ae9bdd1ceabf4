/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent that acts through another (RFC 8693): who acts, through whom, and the rule by which a
 * token is derived from another one. A derived token is never wider, longer or deeper than what it
 * was derived from. Pure: no I/O, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "model/client.h"
#include "model/scope.h"

struct task;
struct arena;

#define DELEGATION_DEPTH_MAX	4
#define DELEGATION_CHILDREN_MAX 50	       /* live ones of one parent */
#define DELEGATION_REPEAT_MS	INT64_C(60000) /* the same exchange again has the same token */
#define DEPUTY_LABEL_MAX	64

/* One who acts: a part of a client, named by the client itself, or another client. */
struct deputy {
	struct str client_id;
	struct str label; /* STR_NONE: the client itself */
};

/* Who acts, first to last. The last one acts now, through those before it: history (4.1). */
struct act {
	struct deputy deputies[DELEGATION_DEPTH_MAX];
	size_t depth; /* 0: the installation itself, through nobody */
};

bool deputy_label_is_valid(struct str label);
/* "agent#label", or "agent". */
struct str deputy_text(struct arena *arena, const struct deputy *deputy);
/* "agent#a other": the column `path`; "" for depth 0. And back: ERR_TOKEN when it is none. */
struct str act_text(struct arena *arena, const struct act *act);
MUST_CHECK enum err act_parse(struct task *task, struct str text, struct act *ret_act);
/* The path of whom the last one of a path acts through: "agent#a" of "agent#a other"; "". */
struct str path_before(struct str path);
/* The claim `act`: {"sub": last, "act": {"sub": the one before, …}}. Nothing for depth 0. */
void act_write(struct json_writer *json, struct arena *arena, const struct act *act);
/* NULL is depth 0. ERR_TOKEN: not a claim of ours. Task memory. */
MUST_CHECK enum err act_read(struct task *task, const json_t *claim, struct act *ret_act);
/* Whose the token is that has this act: that of the last deputy, else of the root. */
struct str act_client(const struct act *act, struct str root_client_id);

/* The token that is exchanged, as it stands. */
struct derivation_parent {
	struct act act;
	struct scope_set scope;
	struct str resource;
	int64_t expires_at;
	struct str jkt;		     /* the key it is bound to; STR_NONE: a bearer token */
	const struct client *client; /* whose token it is, as registered now */
	struct scope_set delegates;  /* clients that the person read of when they said yes */
};

struct derivation_wish {
	const struct client *client; /* who asks, authenticated as it is registered */
	struct str label;	     /* for a part of itself; STR_NONE */
	struct scope_set scope;	     /* empty: all of the parent's */
	struct str resource;	     /* canonical; STR_NONE: the parent's */
	int64_t expires_at;	     /* as a token of that resource would end by itself */
	struct str jkt;		     /* the key that who asks has proven; STR_NONE */
};

struct derived {
	struct act act;
	struct scope_set scope;
	struct str resource;
	int64_t expires_at;
	struct str jkt; /* never dropped: a bound token is derived from with its own key only */
};

/*
 * ERR_TARGET, ERR_SCOPE, ERR_DPOP, ERR_REQUEST (who asks may not act through that token, too deep).
 * Whether parent and grant stand is decide()'s affair.
 */
MUST_CHECK enum err derive(struct task *task, const struct derivation_parent *parent,
			   const struct derivation_wish *wish, struct derived *ret_derived);

/* What a decision about a derived token looks at, beside the standing of its root. */
struct delegation {
	struct act act;
	struct client clients[DELEGATION_DEPTH_MAX]; /* of each deputy, as registered now */
	bool is_stopped; /* by the person: it, or one that it acts through */
	bool is_revoked; /* the token itself, or what it was derived from */
};

/*
 * Why it does not stand any more, or "": "client_disabled", "not_delegated", "sub_agent_stopped",
 * "revoked_by_client". root: whose grant it is.
 */
struct str delegation_dead_reason(const struct delegation *delegation, const struct client *root,
				  struct scope_set delegates, int64_t token_issued_at);
