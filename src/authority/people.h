/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator does with people: create, list, disable, enable, set a password. Never acts for
 * them.
 */
#pragma once

#include "authority/authority.h"
#include "model/session.h"
#include "model/user.h"

struct new_user {
	struct str username;
	struct str email;    /* STR_NONE: none */
	struct str password; /* STR_NONE: none yet: the person cannot sign in */
};

/* ERR_REQUEST, ERR_CONFLICT (name taken). Runs argon2id. */
MUST_CHECK enum err user_create(struct task *task, const struct authority *authority,
				const struct new_user *wish, struct user *ret_user);
/* Ends sessions, refuses every path until enabled. ERR_NOT_FOUND. */
MUST_CHECK enum err user_disable(struct task *task, const struct authority *authority,
				 struct str username);
MUST_CHECK enum err user_enable(struct task *task, const struct authority *authority,
				struct str username);
/*
 * By the operator: ends every session and pauses every grant until the person confirms (DESIGN 11).
 */
MUST_CHECK enum err user_reset_password(struct task *task, const struct authority *authority,
					struct str username, struct str password);
struct password_change {
	const struct user *user;
	const struct session *session; /* whose: it stays, and its browser's guesses count */
	struct str old_password;
	struct str new_password;
	struct str source;   /* address */
	int64_t retry_after; /* out, with ERR_THROTTLED: seconds */
};

/*
 * By the person: the old one is asked for; other sessions end. ERR_PASSWORD, ERR_REQUEST,
 * ERR_THROTTLED; ERR_CONFLICT when it was changed meanwhile: who knew the old one only does not set
 * the next.
 */
MUST_CHECK enum err user_change_password(struct task *task, const struct authority *authority,
					 struct password_change *change);
/* The e-mail address from the sealed profile; "" when there is none. */
MUST_CHECK enum err user_email(struct task *task, const struct authority *authority,
			       const struct user *user, struct str *ret_email);
/* The same by the person's id. ERR_NOT_FOUND. */
MUST_CHECK enum err user_email_of(struct task *task, const struct authority *authority,
				  struct str user_id, struct str *ret_email);
/* A person's password as it is stored now. */
struct stored_password {
	struct str hash; /* PHC; STR_NONE: none */
	int64_t version; /* goes up with each change */
};

/* For login.c. ERR_NOT_FOUND: has none. */
MUST_CHECK enum err password_stored(struct task *task, const struct authority *authority,
				    const struct user *user, struct stored_password *ret_password);
/*
 * True if it is the password. ERR_INTERNAL when it cannot be checked: that is nobody's wrong guess.
 */
MUST_CHECK enum err password_fits(struct task *task, const struct stored_password *stored,
				  struct str password, bool *ret_fits);
