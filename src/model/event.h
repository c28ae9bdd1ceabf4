/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An audit record, written in the transaction of what it records: no event, no effect. Clear fields
 * and the ciphertext of personal details are what a leaf of the log is hashed over (RFC 6962), so
 * erasing a person's key leaves every proof valid.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct event {
	struct str id; /* evt_… with the time in front */
	int64_t at;
	struct str kind;  /* "grant.allowed", "token.issued", … (docs/events.md) */
	struct str actor; /* "user", "agent", "operator", "system" */
	struct str user_id;
	struct str client_id;
	struct str grant_id;
	struct str family_id;
	struct str request_id; /* of the HTTP request, for the log */
	struct str resource;
	struct str details; /* clear JSON, no personal data; STR_NONE: none */
	struct str sealed; /* personal details, sealed at (events, id, sealed, 1); STR_NONE: none */
};
