/* SPDX-License-Identifier: Apache-2.0 */
/* nodes: the daemons that serve this database, so that each knows who else does and how. */
#pragma once

#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

/* Who was not heard of for so long does not count as serving. */
#define NODE_ALIVE_MS (30 * SECOND_MS)

struct node {
	struct str id;	 /* nod_…: of one process */
	struct str name; /* for people: host and listener */
	struct str version;
	struct str settings;  /* a hash of what all nodes must have alike */
	struct str resources; /* a hash of the resource files */
	struct str root_keys; /* those it has: "NUMBER FINGERPRINT\n" for each */
	int64_t started_at;
	int64_t seen_at;  /* by the time it goes by */
	int64_t clock_at; /* the same moment by its system's clock, which follows nobody */
};

/* All that were heard of since, by id. */
MUST_CHECK enum err node_list(struct task *task, struct db *db, int64_t since,
			      struct node **ret_nodes, size_t *ret_count);
/* Says that the node is there. */
MUST_CHECK enum err node_put(struct task *task, struct db *db, const struct node *node);
MUST_CHECK enum err node_delete(struct task *task, struct db *db, struct str id);
/* Forgets nodes that were not seen since. */
MUST_CHECK enum err node_sweep(struct task *task, struct db *db, int64_t since);
