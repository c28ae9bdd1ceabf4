/* SPDX-License-Identifier: Apache-2.0 */
/* The person (resource owner). Personal details are sealed under the person's own key. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;

#define USERNAME_MAX 64
#define EMAIL_MAX    254

enum user_status { USER_ACTIVE, USER_DISABLED };

struct user {
	struct str id; /* usr_… */
	struct str username;
	enum user_status status;
	struct str sealed_profile; /* JSON {"email": …}, sealed at (users, id, profile, version) */
	struct str wrapped_key;	   /* the person's data key, as the key holder gave it */
	int64_t version;	   /* goes up with each change of sealed_profile */
	int64_t created_at;
	int64_t disabled_at; /* 0: not */
};

struct str user_status_name(enum user_status status);

/*
 * The one spelling of a name: spaces around it dropped, ASCII letters lowered. ERR_REQUEST for one
 * that is empty, too long or has other characters than a-z 0-9 . _ + - @ : so that no two spellings
 * look alike; nor may it start with '-', for an on_stop command would take it for an option.
 */
MUST_CHECK enum err username_normalise(struct task *task, struct str typed,
				       struct str *ret_username);
/* Something with one @ and a dot behind it; the proof is a mail that arrives. ERR_REQUEST. */
MUST_CHECK enum err email_check(struct task *task, struct str email);
