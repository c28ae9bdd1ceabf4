/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says in /proc of how a process is shut in. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct task;

struct proc_status {
	struct str name;
	pid_t parent;
	unsigned threads;
	bool has_no_new_privs; /* all threads, as the next one */
	bool is_filtered;      /* seccomp, by a list */
	bool leaves_core;      /* the limit of core files is not 0 */
	bool is_dumpable;      /* its user may look into it */
};

/* ERR_NOT_FOUND when there is no such process, or /proc does not show it. */
MUST_CHECK enum err proc_status_read(struct task *task, pid_t pid, struct proc_status *ret_status);
/* Its children, at most max. */
size_t proc_children(struct task *task, pid_t pid, pid_t *ret_pids, size_t max);
