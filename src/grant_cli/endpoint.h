/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the token and revocation endpoints (RFC 6749 5, RFC 7009) as a public client, and their
 * refusals in words. Knows nothing of the store.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "http/parameter.h"

struct task;

struct endpoint {
	struct str url;
	struct str ca_file;
	struct str dpop_key; /* as in a log-in; STR_NONE: no proofs */
};

struct tokens {
	struct str access_token;
	struct str refresh_token; /* STR_NONE: none came */
	struct str token_type;	  /* "Bearer", or "DPoP" where there is a key */
	struct str scope;	  /* STR_NONE: as asked */
	int64_t expires_at;	  /* wall ms */
	int64_t grant_expires_at; /* 0: not said */
};

/*
 * ERR_GRANT when the code or refresh token is dead, with the reason in words; ERR_PAUSED; ERR_BUSY;
 * ERR_PENDING, ERR_SLOW_DOWN, ERR_EXPIRED, ERR_DENIED of a device's code; ERR_FORBIDDEN for another
 * refusal; ERR_IO and ERR_TIMEOUT when the answer did not come.
 */
MUST_CHECK enum err endpoint_tokens(struct task *task, const struct endpoint *endpoint,
				    const struct parameter *parameters, size_t count,
				    struct tokens *ret_tokens);
/* What a device is told (RFC 8628 3.2). Codes and addresses are fit to be shown on a terminal. */
struct device_answer {
	struct str device_code;
	struct str user_code;
	struct str verification_uri;
	struct str verification_uri_complete; /* STR_NONE: none */
	int64_t expires_in, interval;	      /* seconds */
};

/* Errors as endpoint_tokens. */
MUST_CHECK enum err endpoint_device(struct task *task, const struct endpoint *endpoint,
				    const struct parameter *parameters, size_t count,
				    struct device_answer *ret_answer);
/* OK only if the server says that it is done. */
MUST_CHECK enum err endpoint_revoke(struct task *task, const struct endpoint *endpoint,
				    struct str client_id, struct str token);
