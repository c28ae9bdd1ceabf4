/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authorization server metadata (RFC 8414) and OpenID Connect Discovery: one text, written once per
 * configuration. It comes from what is configured alone, never from the request (MD-001).
 */
#pragma once

#include "base/buf.h"
#include "config/config.h"

struct metadata_cache;

/* Shared by all loops; its mutex is its own. Out of memory ends the process. */
struct metadata_cache *metadata_cache_new(void);
void metadata_cache_free(struct metadata_cache **cache);
/* The text for that configuration; lives as long as the cache. ERR_TOO_LARGE. */
MUST_CHECK enum err metadata_text(struct task *task, struct metadata_cache *cache,
				  const struct config *config, const struct resource *identity,
				  struct str *ret_text);
/* Writes the document. identity: the issuer as a resource, for OpenID Connect's scopes. */
void metadata_write(struct buf *buf, const struct config *config, const struct resource *identity);
