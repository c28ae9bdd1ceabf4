/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private_key_jwt: the rules of a client's assertion (RFC 7523 3, draft-ietf-oauth-rfc7523bis). Its
 * audience is our issuer and nothing else, so that no other server can hand it on to us.
 */
#pragma once

#include "authority/authority.h"
#include "crypto/assertion.h"
#include "model/client.h"
#include "store/spent.h"

/*
 * Signature by one of the client's keys, names, audience, times. *ret_spent: it holds once. All
 * refusals are ERR_CLIENT with the reason.
 */
MUST_CHECK enum err assertion_check(struct task *task, const struct authority *authority,
				    const struct client *client, const struct assertion *assertion,
				    struct spent *ret_spent);
