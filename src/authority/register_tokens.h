/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator does with tokens to register with (initial access tokens, RFC 7591 3). */
#pragma once

#include "authority/authority.h"
#include "model/registration.h"

#define REGISTER_TOKEN_USES_MAX 100000
#define REGISTER_TOKEN_LIFE_MAX (366 * DAY_MS)

struct register_token_wish {
	struct str name; /* whom it is for; "" */
	int64_t uses;
	int64_t life_ms;
};

/* *ret_secret is shown this once; its hash is kept. ERR_REQUEST. */
MUST_CHECK enum err register_token_create(struct task *task, const struct authority *authority,
					  const struct register_token_wish *wish,
					  struct register_token *ret_token, struct str *ret_secret);
/* Nobody registers with it any more; who did stays. ERR_NOT_FOUND. */
MUST_CHECK enum err register_token_end(struct task *task, const struct authority *authority,
				       struct str id, struct register_token *ret_token);
