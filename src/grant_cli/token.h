/* SPDX-License-Identifier: Apache-2.0 */
/* A log-in's access token, made to last (token.c): for every verb that uses one. */
#pragma once

#include "grant_cli/wallet.h"
#include "grant_cli/wish.h"

/*
 * *login with an access token for at least half a minute; asks the server when the stored one does
 * not last or wish->fresh says so. With wish->dpop it is bound to a key, which is made when there
 * is none. ERR_GRANT when the log-in is over, with what to do.
 */
MUST_CHECK enum err token_ensure(struct task *task, const struct wallet *wallet,
				 const struct wish *wish, struct login *login);
/*
 * An access token of the log-in that no other process is given to exchange: one refresh, under the
 * store's lock. Errors as token_ensure.
 */
MUST_CHECK enum err token_own(struct task *task, const struct wallet *wallet, struct login *login);
