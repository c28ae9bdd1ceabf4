/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a grant stops (pause, revoke, expiry, a disabled person), the resource may have to be told:
 * its on_stop is queued in the same transaction and run by the jobs.
 */
#pragma once

#include "authority/authority.h"
#include "model/grant.h"

/* Inside a transaction. Nothing is queued for a resource without on_stop. */
MUST_CHECK enum err stop_queue(struct task *task, struct db *db, const struct authority *authority,
			       const struct grant *grant, struct str username);
/* For every grant of the person that is neither revoked nor over. */
MUST_CHECK enum err stop_queue_all(struct task *task, struct db *db,
				   const struct authority *authority, struct str user_id,
				   struct str username);
