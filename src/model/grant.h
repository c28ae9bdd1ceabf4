/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The person's decision: user x client x resource x scopes x until when. Everything an agent can do
 * hangs on one grant and dies with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "model/scope.h"

struct task;

/* A time that does not come: "until I revoke". */
#define NEVER INT64_MAX

enum risk { RISK_READ, RISK_WRITE, RISK_SEND, RISK_DELETE };

enum mode { MODE_ALLOW, MODE_ASK, MODE_NEVER };

enum grant_status { GRANT_ACTIVE, GRANT_PAUSED, GRANT_REVOKED, GRANT_EXPIRED };

struct permission {
	struct str scope;
	enum mode mode;
	int64_t expires_at;	  /* wall ms, or NEVER */
	struct str words;	  /* JSON: the sentences as consented */
	struct str consent_event; /* evt_… */
	int64_t granted_at;
	/* store's: the first of the grant's yeses since which it was there all the time */
	int64_t since_yes;
};

struct grant {
	struct str id; /* gra_… */
	struct str user_id;
	struct str client_id;
	struct str resource; /* URI; the issuer's own for openid */
	struct str basis;    /* "person" */
	int64_t created_at;
	int64_t updated_at;
	int64_t expires_at;	    /* the latest of its permissions */
	int64_t paused_at;	    /* by the person, or by us until the person confirms; 0: not */
	int64_t operator_paused_at; /* by the operator; 0: not */
	int64_t restored_at;	    /* the database was put back to an older state then; 0: not */
	int64_t revoked_at;	    /* 0: not */
	struct str revoked_by;	    /* "user", "operator" */
	int64_t last_used_at;	    /* 0: never; of any of its families */
	/* ids of clients that may act through the agent, as consented */
	struct scope_set delegates;
	const struct permission *permissions;
	size_t permission_count;
};

/* Stopped for now, by whomever. */
bool grant_is_paused(const struct grant *grant);
/* Paused by a restore, and not confirmed by the person since. */
bool grant_waits_after_restore(const struct grant *grant);
/* Revoked before expired before paused before active. */
enum grant_status grant_status_at(const struct grant *grant, int64_t now);
struct str grant_status_name(enum grant_status status);
/* The scopes whose permission is neither over nor `never`. */
struct scope_set grant_scopes_at(struct arena *arena, const struct grant *grant, int64_t now);
/* The one of that scope, if it is neither over nor `never`; NULL. */
const struct permission *grant_permission_at(const struct grant *grant, struct str scope,
					     int64_t now);
struct str risk_name(enum risk risk);
MUST_CHECK enum err risk_from_name(struct task *task, struct str name, enum risk *ret_risk);
struct str mode_name(enum mode mode);
MUST_CHECK enum err mode_from_name(struct task *task, struct str name, enum mode *ret_mode);

/*
 * "1h", "today" (end of the day in UTC), "7d", "30d", "until-revoked": when a grant given at `now`
 * ends. ERR_REQUEST for another word.
 */
MUST_CHECK enum err duration_end(struct task *task, struct str duration, int64_t now,
				 int64_t *ret_expires_at);
