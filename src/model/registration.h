/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of a client that registered itself beside the client (RFC 7591, RFC 7592). */
#pragma once

#include <stdint.h>

#include "base/str.h"

struct registration {
	struct str client_id;
	struct str token_hash;	   /* SHA-256 of the registration access token; STR_NONE: ended */
	struct str metadata;	   /* JSON object: what else the client said of itself */
	struct str register_token; /* id of the initial token it came with; STR_NONE: none */
	int64_t unused_since;	   /* 0: somebody has a grant for it, or had one not long ago */
	int64_t ended_at;	   /* when the client deleted it; 0: it stands */
};

/* With what an agent may register where not everybody may; made by the operator. */
struct register_token {
	struct str id;	 /* rtk_… */
	struct str name; /* whom it is for, as the operator wrote; "" */
	int64_t uses;	 /* how often it may be used */
	int64_t used;
	int64_t created_at;
	int64_t expires_at;
	int64_t revoked_at; /* 0: not */
};
