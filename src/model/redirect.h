/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redirect URIs (OAuth 2.1 2.3, 4.1.1, 8.4; RFC 8252 7): which may be registered, and whether the
 * one a request names is the registered one. Compared byte for byte; only the port of an http
 * loopback URI (127.0.0.1, [::1], localhost, not one for another) is free.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct task;

#define REDIRECT_URI_MAX 2048

/*
 * https, http on a loopback host, or a private-use scheme that has a dot or is on the operator's
 * list. Never a fragment, userinfo, wildcard, dot segment (also encoded), javascript:, data:, file:
 * and their kind. ERR_REQUEST with the reason.
 */
MUST_CHECK enum err redirect_check(struct task *task, struct str uri, const struct str *schemes,
				   size_t scheme_count);
bool redirect_matches(struct str registered, struct str asked);
/* http on a loopback host: any program on the person's computer may be listening there. */
bool redirect_is_loopback(struct str uri);
/*
 * What the consent page shows: the host (with port if written), or the scheme for private-use ones.
 */
struct str redirect_host(struct str uri);
