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
/*
 * Its tokens of any kind are refused from now on; enabling does not revive access tokens issued
 * before.
 */
MUST_CHECK enum err client_disable(struct task *task, const struct authority *authority,
				   struct str id);
MUST_CHECK enum err client_enable(struct task *task, const struct authority *authority,
				  struct str id);
