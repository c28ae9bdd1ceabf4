/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody asked for but must be done: one thread that sweeps, tells resources of stops, notices
 * ends, rotates signing keys. */
#pragma once

#include "authority/authority.h"

struct jobs;

/* thread: the number of its read connection. Its first round looks for what was left over. */
MUST_CHECK enum err jobs_start(struct task *task, const struct authority *authority,
			       unsigned thread, struct jobs **ret_jobs);
/* Ends the thread after the step it is in. Accepts NULL inside. */
void jobs_stop(struct jobs **jobs);
