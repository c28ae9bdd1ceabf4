/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator does with clients. */
#pragma once

#include "authority/authority.h"
#include "model/client.h"

struct new_client {
	struct client client; /* without secret_hash and times */
	struct str secret;    /* STR_NONE and not public: one is made */
	struct str resource;  /* name or URI of the default resource; STR_NONE */
};

/*
 * *ret_secret is the made one, shown this once (STR_NONE otherwise). ERR_REQUEST, ERR_CONFLICT,
 * ERR_TARGET.
 */
MUST_CHECK enum err client_create(struct task *task, const struct authority *authority,
				  const struct new_client *wish, struct client *ret_client,
				  struct str *ret_secret);

/* What is to be another; the rest stays. */
struct client_change {
	struct str id;
	struct str name; /* STR_NONE: stays */
	const struct str *redirect_uris;
	size_t redirect_count;		      /* 0: they stay */
	unsigned grant_types;		      /* 0: they stay */
	const struct scope_set *scope;	      /* NULL: stays; empty: no ceiling */
	const struct scope_set *delegates_to; /* NULL: they stay; empty: nobody */
	struct str resource;		      /* STR_NONE: stays; "": none */
	bool new_secret;
	struct str secret;   /* STR_NONE with new_secret: one is made */
	struct str jwks;     /* instead of the keys before; STR_NONE: they stay */
	struct str jwks_uri; /* likewise, and read from there at once, also when it is the same */
	struct str auth_alg; /* STR_NONE: stays; "": any that its keys allow */
	enum { DPOP_STAYS, DPOP_REQUIRED, DPOP_OPTIONAL } dpop;
	enum { PAR_STAYS, PAR_REQUIRED, PAR_OPTIONAL } par;
	enum { REFRESH_STAYS, REFRESH_ROTATES, REFRESH_KEPT } refresh;
};

/*
 * A new secret takes the place of the old one at once. *ret_secret as client_create. ERR_REQUEST
 * also when nothing would change, ERR_NOT_FOUND, ERR_SCOPE, ERR_TARGET.
 */
MUST_CHECK enum err client_change(struct task *task, const struct authority *authority,
				  const struct client_change *wish, struct client *ret_client,
				  struct str *ret_secret);
/*
 * Its tokens of any kind are refused from now on; enabling does not revive access tokens issued
 * before.
 */
MUST_CHECK enum err client_disable(struct task *task, const struct authority *authority,
				   struct str id);
MUST_CHECK enum err client_enable(struct task *task, const struct authority *authority,
				  struct str id);
