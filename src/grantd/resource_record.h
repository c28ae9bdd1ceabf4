/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource files decide what agents may reach, so a change of one leaves an event. Also a change
 * that was made while the daemon was down is noticed: what was last taken up is in the database.
 */
#pragma once

#include "config/config.h"
#include "store/store.h"

/*
 * Writes an event of the operator's, and a line of the log, for each file that is new, another, or
 * gone: before the configuration counts.
 */
MUST_CHECK enum err resources_record(struct task *task, struct store *store,
				     const struct config *config);
