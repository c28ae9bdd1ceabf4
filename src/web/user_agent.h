/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which browser on which system a User-Agent field claims, in the words people use for them. For
 * telling one's own sign-ins apart, and nothing else: anybody can write anything there.
 */
#pragma once

#include "base/str.h"

/* "Firefox"; STR_NONE for what we do not know. */
struct str user_agent_browser(struct str user_agent);
/* "Windows"; STR_NONE likewise. */
struct str user_agent_system(struct str user_agent);
