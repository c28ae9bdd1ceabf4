/* SPDX-License-Identifier: Apache-2.0 */
/* The DPoP header of a request (RFC 9449 4.1), and the nonces that answers carry (RFC 9449 8). */
#pragma once

#include "authority/dpop.h"
#include "http/exchange.h"

/*
 * What the request proves; without the header *ret_dpop is empty. access_token is what it goes
 * with, STR_NONE at the token endpoint. Errors as dpop_check. A newer nonce goes with the answer
 * when the one that was used is about to end.
 */
MUST_CHECK enum err oauth_proof(struct exchange *exchange, struct str access_token,
				struct dpop *ret_dpop);
