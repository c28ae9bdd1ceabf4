/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a POST endpoint (OAuth 2.1 3.2): one form, in the body, each name once. */
#pragma once

#include "authority/request.h"
#include "http/exchange.h"
#include "http/form.h"

/*
 * ERR_REQUEST for a malformed form, a repeated parameter other than `resource` (RFC 8707 2), or a
 * secret in the query string, where it would end up in histories and logs (RFC 6749 2.3.1). Other
 * query parameters are not looked at.
 */
MUST_CHECK enum err parameters_read(struct exchange *exchange, struct form *ret_form);
/* An authorization request, in the body of /par as in the query of /authorize. */
struct authorize_params parameters_authorization(const struct form *form);
/* The only `resource`, or STR_NONE. ERR_TARGET for several: a token has one audience. */
MUST_CHECK enum err parameters_resource(struct task *task, const struct form *form,
					struct str *ret_resource);
