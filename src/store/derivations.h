/* SPDX-License-Identifier: Apache-2.0 */
/*
 * derivations: what each subject token became that was exchanged; kept while the subject lives, so
 * that none is exchanged twice. sub_agents: who acts through an installation; kept a day after they
 * last could, and while they are stopped. Who exchanges, gives back, stops or lets go on takes the
 * family's row first; when somebody acted last, and the sweeps, go without.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "model/family.h"

struct task;
struct db;

/* parent and path: model/delegation.h's act_text. */
struct derivation_key {
	struct str user_id;
	struct str family_id;
	struct str parent; /* who exchanged the subject; "": the installation */
	struct str jti;	   /* what it became: authority/delegation.h's delegation_jti */
};

struct derivation {
	struct derivation_key key;
	struct str path;      /* who has it */
	struct str wish_hash; /* of all that was asked */
	int64_t issued_at;
	int64_t expires_at;
	int64_t over_at;    /* when the subject is over, and the row may go */
	int64_t revoked_at; /* 0: not */
};

/* What there is before another one is written. */
struct derivation_look {
	int64_t live;	   /* tokens of the same parent that are not over, revoked or not */
	int64_t first_end; /* of those; 0: there are none */
	bool is_stopped;   /* by the person: who would have it, or one that it acts through */
};

struct sub_agent {
	struct str path; /* "": the whole installation, of which only stopped_at says something */
	int64_t first_at;
	int64_t last_at;      /* the last exchange */
	int64_t last_used_at; /* a resource asked about it; 0: never */
	int64_t live_until;   /* the end of its last token */
	int64_t stopped_at;   /* 0: not */
};

/* Also writes down that the sub-agent is there. ERR_CONFLICT: the subject was exchanged already. */
MUST_CHECK enum err derivation_insert(struct task *task, struct db *db,
				      const struct derivation *derivation);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err derivation_find(struct task *task, struct db *db,
				    const struct derivation_key *key,
				    struct derivation *ret_derivation);
/* By its key without the jti, and its path. */
MUST_CHECK enum err derivation_look(struct task *task, struct db *db,
				    const struct derivation *derivation, int64_t now,
				    struct derivation_look *ret_look);
/* Not what was derived from it. *ret_now is false when it had ended before, or is not known. */
MUST_CHECK enum err derivation_revoke(struct task *task, struct db *db,
				      const struct derivation_key *key, int64_t now, bool *ret_now);
MUST_CHECK enum err derivation_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
				     int64_t *ret_deleted);

/*
 * Of one installation: those that are stopped, then those that have a token now, then the others;
 * of each the last exchange first. SUB_AGENTS_MAX, and one more when there are others.
 */
#define SUB_AGENTS_MAX 200
MUST_CHECK enum err sub_agent_list(struct task *task, struct db *db, const struct family *family,
				   int64_t now, struct sub_agent **ret_agents, size_t *ret_count);
/*
 * True if the installation's sub-agents are stopped, or that one, or one through whom it acts.
 */
MUST_CHECK enum err sub_agent_is_stopped(struct task *task, struct db *db, struct str user_id,
					 struct str family_id, struct str path, bool *ret_is);
/*
 * stopped_at 0 lets it go on. path "" is all of them. ERR_NOT_FOUND: there is no such sub-agent.
 */
MUST_CHECK enum err sub_agent_set_stopped(struct task *task, struct db *db,
					  const struct family *family, struct str path,
					  int64_t stopped_at, int64_t now);
MUST_CHECK enum err sub_agent_set_used(struct task *task, struct db *db, struct str user_id,
				       struct str family_id, struct str path, int64_t now);
/* Those that could last act before `before`, and are not stopped. */
MUST_CHECK enum err sub_agent_sweep(struct task *task, struct db *db, int64_t before, int64_t limit,
				    int64_t *ret_deleted);
