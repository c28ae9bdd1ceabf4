/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies (RFC 6265bis): reading one by its exact name, setting one with everything that protects
 * it. */
#pragma once

#include "base/str.h"
#include "http/exchange.h"

/* STR_NONE when absent. Of several with the name the first counts (a __Host- name cannot be tossed
 * in). */
struct str cookie_get(const struct request *request, struct str name);
/* Path=/; Secure; HttpOnly; SameSite=Lax. name starts with "__Host-"; max_age in seconds, 0
 * deletes, -1: session. */
void cookie_set(struct exchange *exchange, struct str name, struct str value, int64_t max_age);
