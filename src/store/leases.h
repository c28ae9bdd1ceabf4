/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases: work that only one node does at a time, such as sweeping. Taken by one conditional
 * statement; who dies gives it up by not renewing it. By the nodes' own clocks, so a lease spares
 * double work and nothing more: what must not be done twice needs a fence of its own in its last
 * statement, as store/outbox has.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct lease {
	struct str name;
	struct str holder;
	int64_t ends_at;
	int64_t fence; /* another number after each change of hands */
};

/*
 * Takes or renews it until lease->ends_at and fills in the fence. ERR_NOT_FOUND while another
 * holder has it.
 */
MUST_CHECK enum err lease_take(struct task *task, struct db *db, struct lease *lease, int64_t now);
