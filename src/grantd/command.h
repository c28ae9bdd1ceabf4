/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one command of the operator's to its end: no shell, a minimal environment, nothing of ours
 * inherited, a time limit. The command is looked for in the system's own folders only.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

/*
 * *ret_status is its exit status. ERR_IO when it cannot be started or was ended by a signal;
 * ERR_TIMEOUT when it was killed after limit_ms, with all that it had started.
 */
MUST_CHECK enum err command_run(struct task *task, const struct str *arguments, size_t count,
				int limit_ms, int *ret_status);
