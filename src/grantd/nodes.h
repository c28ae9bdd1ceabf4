/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node does because it may not be the only one: it says that it is there, looks who else is
 * and whether they are set up alike, follows their clock by a little, and takes up signing keys
 * that another node or a command has made. A thread of its own, for none of it may wait behind a
 * job that hangs. Nothing of it runs on SQLite, which has one node.
 *
 * What a request decides does not hang on it: every node asks the database for each decision.
 */
#pragma once

#include "authority/authority.h"

struct nodes;

/*
 * A key signs at the earliest so long after it was made, on an installation that may have several
 * nodes: longer than any of them takes to load it.
 */
#define NODES_KEY_LEAD_MS (3 * SECOND_MS)

/* thread: the number of its read connection. *ret_nodes is NULL for a store that is not shared. */
MUST_CHECK enum err nodes_start(struct task *task, const struct authority *authority,
				unsigned thread, struct nodes **ret_nodes);
/* Ends the thread and takes the node off the list. Accepts NULL inside. */
void nodes_stop(struct nodes **nodes);
