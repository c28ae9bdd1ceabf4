/* SPDX-License-Identifier: Apache-2.0 */
/* A person's sign-in in one browser. The cookie's value is never stored, only its SHA-256. */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define SESSION_LIFE_MS (12 * 60 * 60 * INT64_C(1000))
#define SESSION_IDLE_MS (60 * 60 * INT64_C(1000))

struct session {
	struct str hash;
	struct str user_id;
	struct str
		browser_hash; /* of the browser cookie: tells a browser that has signed in before */
	int64_t created_at;   /* also auth_time */
	int64_t last_seen_at;
	int64_t expires_at; /* absolute */
	int64_t ended_at;   /* 0: not */
	struct str
		/*
		 * JSON {"user_agent":…,"address":…}, sealed at (sessions, base64url hash, agent, 1)
		 */
		sealed_agent;
};
