/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of a scope in a resource file: what an agent may name in authorization_details
 * (RFC 9396), in words for people, and which limits it may set on each.
 */
#pragma once

#include "base/json.h"
#include "config/resource.h"

/*
 * Fills in scope->operations; list may be NULL. before: scopes of the same resource that were read,
 * for a name stands once. ERR_CONFIG with the place below path and what is allowed.
 */
MUST_CHECK enum err operations_parse(struct task *task, const json_t *list, struct str path,
				     const struct resource *before, struct resource_scope *scope);
