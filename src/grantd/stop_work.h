/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox's on_stop items: a resource is told that a grant has stopped, by its command or URL.
 */
#pragma once

#include "authority/authority.h"
#include "grantd/stop_command.h"

struct stop_worker {
	const struct authority *authority;
	/* Runs the command of a resource: who faces the network may start no program itself. */
	enum err (*run)(struct task *task, void *context, const struct stop_names *names);
	void *context;
};

/*
 * Takes the item that is due first and does it; tries again later when that fails, for a day.
 * *ret_worked is false when nothing was due.
 */
MUST_CHECK enum err stop_work(struct task *task, const struct stop_worker *worker,
			      bool *ret_worked);
/* Queues the on_stop of grants that ran out since `from`, with an event each. */
MUST_CHECK enum err stop_expired(struct task *task, const struct authority *authority,
				 int64_t from);
