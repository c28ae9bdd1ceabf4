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
 * The ceiling of the installation that redeems a code, on its grant as taken now: what its person
 * allowed it and did not take away since. A scope that was over meanwhile is gone, also when a yes
 * to another installation has brought it back; so is one of which that yes gave only some
 * operations, and more of these than before.
 */
struct scope_set ceilings_of_code(struct arena *arena, const struct auth_request *request,
				  const struct grant *grant, int64_t now);
