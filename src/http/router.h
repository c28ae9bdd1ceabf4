/* SPDX-License-Identifier: Apache-2.0 */
/* From method and path to a route. Matched on the raw path; parameters are decoded after the match.
 */
#pragma once

#include "http/exchange.h"

/*
 * Sets exchange->route, ->door and request.params. ERR_NOT_FOUND, ERR_METHOD (Allow is on the reply
 * already), ERR_MEDIA_TYPE, ERR_REQUEST for a parameter that does not decode; ->door is set in any
 * case.
 */
MUST_CHECK enum err router_match(struct exchange *exchange, const struct door *const *doors,
				 size_t count);
