/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two cookies: which browser it is (random, 180 days), and which session (until the browser
 * ends).
 */
#pragma once

#include "http/exchange.h"

#define BROWSER_COOKIE "__Host-grantd-browser"
#define SESSION_COOKIE "__Host-grantd-session"

/* The value of the browser cookie; sets one on the reply, once, when there is none of ours. */
struct str browser_value(struct exchange *exchange);
