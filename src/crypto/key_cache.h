/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys of clients that were parsed lately, by the SHA-256 of the text they came in: making
 * one ready costs a third of a signature's check. A bounded number; the one used longest ago in its
 * set gives way. Shared; a mutex per shard, no I/O under it.
 */
#pragma once

#include <stdint.h>

#include "crypto/digest.h"

struct key_cache;
struct public_key;

struct key_cache *key_cache_new(void);
void key_cache_free(struct key_cache **cache);
/* The key, which the caller owns as jwk_parse's (public_key_free); NULL when it is not there. */
struct public_key *key_cache_find(struct key_cache *cache, const uint8_t digest[SHA256_LEN]);
/* Keeps a key of the caller's, who still owns it. Only one that a signature was right for. */
void key_cache_add(struct key_cache *cache, const uint8_t digest[SHA256_LEN],
		   struct public_key *key);
