/* SPDX-License-Identifier: Apache-2.0 */
/* The Date field (RFC 9110 5.6.7), written anew only when the second changes. */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define DATE_LEN 29

struct date_cache {
	int64_t second;
	char text[DATE_LEN + 1];
};

/* "Wed, 25 Nov 2026 09:00:00 GMT"; lives until the next call. */
struct str date_text(struct date_cache *cache, int64_t wall_ms);
