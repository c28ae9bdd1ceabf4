/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that we start and that live and die with us, and commands. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

struct arena;

/* True when it ended within the time; it is still to be reaped. */
bool process_ends(pid_t pid, int limit_ms);
/*
 * For who was woken by SIGCHLD: true when it has ended, and how in words (arena memory). It is not
 * reaped. pid 0: there is none, false.
 */
bool process_is_gone(struct arena *arena, pid_t pid, struct str *ret_how);
/* Waits for its end and reaps it; it is killed when it takes longer. Sets *pid to 0; 0 is none. */
void process_end(pid_t *pid, int limit_ms);

/*
 * In the child: its end is the parent's, and signals for all are the parent's to follow. Ends the
 * process when the parent is gone already.
 */
void process_follow(pid_t parent);
/* Leaves those files open, and the three that every process has, for the log. Sorts the list. */
void process_close_others(int *kept, size_t count);
/* No core file, and no debugger of the same user. True when it cannot be looked into. */
bool process_hide_memory(void);
