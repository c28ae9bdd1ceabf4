/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says in /proc of how a process is shut in. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct task;

struct proc_status {
	unsigned threads;
	bool has_no_new_privs; /* all threads, as the next one */
	bool is_filtered;      /* seccomp, by a list: its own, or one that it was started with */
	uint64_t filters;      /* how many lists; 0 where the kernel does not tell (before 5.9) */
	bool leaves_core;      /* the limit of core files is not 0 */
	/* its user may look into it; of root's processes /proc does not tell, and it is false */
	bool is_dumpable;
};

/* ERR_NOT_FOUND when there is no such process, or /proc does not show it. */
MUST_CHECK enum err proc_status_read(struct task *task, pid_t pid, struct proc_status *ret_status);
