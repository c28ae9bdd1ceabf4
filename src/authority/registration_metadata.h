/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent says of itself when it registers (RFC 7591 2): every type checked, defaults as the
 * RFC has them, what is not known ignored. A bad redirect URI is dropped as long as a good one is
 * left; what is offered that cannot be had here (a grant type, a method) gives way to what can;
 * what asks for less security than there is (password, implicit, tokens in the redirect, addresses
 * inside) is refused. The answer says what was registered (3.2.1).
 */
#pragma once

#include "base/json.h"
#include "model/client.h"

#define REGISTRATION_BODY_MAX (32 * 1024)

/* Private-use schemes without a dot that may be registered. */
struct registration_rules {
	const struct str *schemes;
	size_t scheme_count;
	bool has_devices;   /* the grant type device_code can be had */
	bool has_localhost; /* for tests: jwks_uri may be at this machine */
};

struct registration_wish {
	/*
	 * name, auth with keys and algorithm, redirect URIs, grant types, scope, dpop_bound_at and
	 * par_required_at;
	 * no name: STR_NONE
	 */
	struct client client;
	struct str metadata;	  /* the rest that is kept, as a JSON object */
	struct str client_id;	  /* as written: an update has to name itself; STR_NONE */
	struct str client_secret; /* the same */
};

/*
 * In task memory. ERR_METADATA, ERR_REDIRECT_URI, ERR_SOFTWARE_STATEMENT (nobody's are trusted),
 * each with what to change; ERR_TOO_LARGE.
 */
MUST_CHECK enum err registration_parse(struct task *task, const struct registration_rules *rules,
				       struct str body, struct registration_wish *ret_wish);

/* --- registration_described.c: of use to this parser only --- */

/* What it says of itself that is kept, shown and echoed, but decides nothing. ERR_METADATA. */
MUST_CHECK enum err registration_describe(struct task *task, const json_t *said,
					  const struct client *client, json_t *kept);
/* STR_NONE when absent or empty: clients do send "" for what they have not. */
struct str registration_text(const json_t *said, const char *name);
struct str registration_item(const json_t *list, size_t index);
