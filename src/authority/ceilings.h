/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the installations of a grant may at most. They share its permissions, and each of them its
 * end; what an installation may of a scope only (RFC 9396) is its own. So who allows one of them
 * some operations of a scope for longer must not give the others all of it for longer.
 */
#pragma once

#include "authority/authority.h"
#include "model/auth_request.h"
#include "model/details.h"
#include "model/family.h"
#include "model/grant.h"

/*
 * Before *next is put into its place: its scopes that the details restrict, and that the grant has
 * not or not for as long, go out of the ceilings of the installations whose own details those do
 * not cover. Takes families and grant, in this order.
 */
MUST_CHECK enum err ceilings_lower(struct task *task, struct db *db, const struct grant *next,
				   const struct details *details);
/*
 * The same for a code that was waiting meanwhile, on its grant as taken now: sets the ceiling of
 * its family.
 */
MUST_CHECK enum err ceilings_of_code(struct task *task, struct db *db,
				     const struct auth_request *request, const struct grant *grant,
				     struct family *family);
