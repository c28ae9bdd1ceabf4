/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization details (RFC 9396) as resources of this configuration have them. */
#pragma once

#include "authority/authority.h"
#include "model/details.h"

/*
 * What a client asks of that resource. None when text is STR_NONE, or resource NULL: for one that
 * is gone nothing is decided by it. Errors as details_parse.
 */
MUST_CHECK enum err details_asked(struct task *task, const struct resource *resource,
				  struct str text, struct details *ret_details);
/*
 * What of them is still in the resource's file, under the scope it had: the rest is nobody's any
 * more. resource may be NULL (it is gone): nothing.
 */
struct details details_today(struct arena *arena, const struct resource *resource,
			     const struct details *details);
/* Does any resource have operations to be named? */
bool details_are_offered(const struct config *config);
/* The operation of that name, and its scope; NULL: there is none. */
const struct resource_operation *details_operation(const struct resource *resource, struct str name,
						   const struct resource_scope **ret_scope);
