/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public half of the keys: what verifying and the JWKS need. A set never changes once it can be
 * seen; a new one takes its place, and the last reader frees the old. Private to crypto.
 */
#pragma once

#include <pthread.h>

#include "crypto/keys.h"

struct published_set;

struct published {
	pthread_rwlock_t lock; /* held only to take or replace the pointer */
	struct published_set *set;
};

/* Begins with the empty set. */
void published_open(struct published *published);
void published_close(struct published *published);
/* The records as a key holder answers them. ERR_CRYPTO for others, and the old set stays. */
MUST_CHECK enum err published_replace(struct task *task, struct published *published,
				      const struct key_record *records, size_t count);
/* As keys_jwks and keys_verify_jwt. */
MUST_CHECK enum err published_jwks(struct task *task, struct published *published,
				   struct str purpose, struct str *ret_jwks);
MUST_CHECK enum err published_verify(struct task *task, struct published *published, struct str jwt,
				     struct str typ, json_t **ret_claims, struct str *ret_purpose);
