/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a grant or a line of tokens stops (pause, revoke, expiry, reuse, a disabled person or
 * agent), the resource may have to be told, for a session that is open there asks nobody again: its
 * on_stop is queued in the same transaction and run by the jobs (grantd/stop_work).
 */
#pragma once

#include "authority/authority.h"
#include "model/grant.h"

struct outbox_item;

/* Inside a transaction, all of them. Nothing is queued for a resource without on_stop. */
MUST_CHECK enum err stop_queue(struct task *task, struct db *db, const struct authority *authority,
			       const struct grant *grant, struct str username);
/* The same, with the person looked up, and with the grant too. */
MUST_CHECK enum err stop_queue_of(struct task *task, struct db *db,
				  const struct authority *authority, const struct grant *grant);
MUST_CHECK enum err stop_queue_found(struct task *task, struct db *db,
				     const struct authority *authority, struct str grant_id);
/* For every grant of the person that is neither paused nor revoked nor over. */
MUST_CHECK enum err stop_queue_all(struct task *task, struct db *db,
				   const struct authority *authority, struct str user_id,
				   struct str username);
/*
 * For every such grant of the client, which may be those of all people: one item is queued, and
 * stop_spread makes the others of it.
 */
MUST_CHECK enum err stop_queue_client(struct task *task, struct db *db, struct str client_id);
/*
 * The same for a client that is gone for good: the grants of all people end with it, paused ones
 * too.
 */
MUST_CHECK enum err stop_end_client(struct task *task, struct db *db, struct str client_id);
/* True for an item that is not a resource's to hear but to be spread. */
bool stop_is_to_spread(const struct outbox_item *item);
/*
 * Queues the next hundred in place of the item, and behind them, while there are more, an item that
 * goes on. Done twice it queues twice, so it is one transaction with the item's deletion, and
 * nothing when another node has taken the item since.
 */
MUST_CHECK enum err stop_spread(struct task *task, struct db *db, const struct authority *authority,
				const struct outbox_item *item);
