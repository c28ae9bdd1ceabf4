/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a process that we started. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* True when it ended within the time; it is still to be reaped. */
bool process_ends(pid_t pid, int limit_ms);
