/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that the process which faces the network may make (seccomp), once it is set up:
 * all that its libraries need to serve, look up names and call out; no program, no new process, no
 * new listener, no look into another process.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct task;

#define NETWORK_CHILDREN_MAX 2

struct network_filter;

/*
 * The list, made beside the rest of a start (half a millisecond). It lets the process signal itself
 * and those children.
 */
struct network_filter *network_filter_new(struct task *task, const pid_t *children, size_t count);
/*
 * For all threads and for good, once. ERR_CONFIG when the kernel has no seccomp. Does nothing in a
 * build with a sanitizer.
 */
MUST_CHECK enum err network_filter_apply(struct task *task, struct network_filter *filter);
void network_filter_free(struct network_filter **filter);
