/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in with a password, and the browser session that follows. Wrong passwords are counted per
 * account and hour in the store; from the 10th on the answer is delayed: 1 s doubling to 60 s per
 * (account, source /24 or /64). Nothing locks. A browser that has signed in as this person before
 * is counted by itself.
 */
#pragma once

#include "authority/authority.h"
#include "model/session.h"
#include "model/user.h"

struct login_attempt {
	struct str username; /* as typed */
	struct str password;
	struct str source;  /* address */
	struct str browser; /* value of the browser cookie */
	struct str user_agent;
	int64_t retry_after; /* out, with ERR_THROTTLED: seconds */
};

/*
 * Slow lane: argon2id runs exactly once, whoever asks (not when throttled or the password is longer
 * than PASSWORD_MAX: ERR_REQUEST). ERR_PASSWORD for an unknown or disabled person and a wrong
 * password alike.
 * *ret_cookie is the new session cookie's value; it exists nowhere else.
 */
MUST_CHECK enum err login_with_password(struct task *task, const struct authority *authority,
					struct login_attempt *attempt, struct session *ret_session,
					struct str *ret_cookie);

/*
 * The live session of a cookie value, with its active user. ERR_LOGIN_REQUIRED otherwise. Moves
 * last_seen_at at most once a minute (store_write: not on a loop).
 */
MUST_CHECK enum err session_open(struct task *task, const struct authority *authority,
				 struct str cookie, struct session *ret_session,
				 struct user *ret_user);
MUST_CHECK enum err logout(struct task *task, const struct authority *authority,
			   const struct session *session);
/* Sign out everywhere, but for `keep` (its hash; STR_NONE: everywhere). */
MUST_CHECK enum err logout_everywhere(struct task *task, const struct authority *authority,
				      const struct user *user, struct str keep, int64_t *ret_ended);
/* The user agent and address of a session, as text for the person. */
MUST_CHECK enum err session_describe(struct task *task, const struct authority *authority,
				     const struct user *user, const struct session *session,
				     struct str *ret_user_agent, struct str *ret_address);
