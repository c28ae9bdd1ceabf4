/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throttles that hold over all nodes of an installation. What was counted here is added up in the
 * store, by nobody's request and never for what was right, and what comes back is remembered, so
 * that asking the throttle stays a matter of memory. A guesser who goes from node to node gets the
 * window once, and at each further node one guess by which it learns. On one node (SQLite) nothing
 * is written.
 */
#pragma once

#include "authority/authority.h"
#include "authority/throttle.h"

struct event;

/*
 * Counts one; true when this one used up the window as far as this node knows. event (may be NULL)
 * is recorded once by the node whose count used it up.
 */
bool throttle_spend(struct task *task, const struct authority *authority, enum throttle_kind kind,
		    struct str key, const struct event *event);
