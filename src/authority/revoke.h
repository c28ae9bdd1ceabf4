/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 7009: ends the family behind a token, with everything under it, before the answer. The grant
 * stays. A sub-agent's token ends alone, with what was derived from it.
 */
#pragma once

#include "authority/authority.h"
#include "model/client.h"

struct revocation {
	struct client client;
	struct str token;
	struct str request_id;

	const struct authority *authority;
	then_fn *then;
	void *work;
};

/*
 * OK at once for a token that is nobody's; ERR_REQUEST for one of another client. Parks otherwise.
 */
MUST_CHECK enum err token_revoke(struct task *task, const struct authority *authority,
				 struct revocation *revocation, then_fn *then);
