/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that the key process may make (seccomp). Opening a file is refused; any other
 * call that is not on the list ends the process.
 */
#pragma once

#include "base/err.h"

struct task;

/*
 * For all threads of this process and for good. ERR_CONFIG when the kernel has no seccomp. Does
 * nothing in a build with a sanitizer, whose own system calls are another list.
 */
MUST_CHECK enum err keyd_filter(struct task *task);
