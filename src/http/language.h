/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the languages there are serves a reader best: RFC 4647 3.4 (lookup) over what was asked
 * by parameter, then over Accept-Language (RFC 9110 12.5.4). Malformed parts count as nothing; only
 * the first 16 of each are looked at.
 */
#pragma once

#include "base/str.h"

/*
 * Index into tags (BCP 47); count when none was asked for, or any ("*"). Both texts may be
 * STR_NONE; the first is separated by spaces (OIDC Core 3.1.2.1, ui_locales).
 */
size_t language_choose(const struct str *tags, size_t count, struct str ui_locales,
		       struct str accept_language);
