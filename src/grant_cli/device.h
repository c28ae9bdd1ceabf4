/* SPDX-License-Identifier: Apache-2.0 */
/* grant login --device: the person answers in a browser elsewhere (RFC 8628). */
#pragma once

#include "grant_cli/endpoint.h"
#include "grant_cli/issuer.h"
#include "grant_cli/wish.h"

/*
 * Shows address and code, and asks until there is an answer. ERR_DENIED; ERR_EXPIRED when nobody
 * answers; ERR_GRANT when the code is not known or its answer was lost; ERR_FORBIDDEN when the
 * issuer has no such flow or refuses; ERR_BUSY, ERR_IO and ERR_TIMEOUT when it cannot be asked for
 * a code.
 */
MUST_CHECK enum err device_tokens(struct task *task, const struct wish *wish,
				  const struct issuer *issuer, struct tokens *ret_tokens);
