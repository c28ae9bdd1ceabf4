/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of system calls for libseccomp: what keyd_filter and network_filter share. A filter holds
 * for all threads of the process and for good.
 */
#pragma once

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct task;

/*
 * False in a build with a sanitizer: those map, read /proc and start threads as they like, and a
 * filter would end them.
 */
bool filter_is_possible(void);

/* Both answer 0, or -errno as libseccomp does. */
int filter_add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count);
typedef int filter_fill_fn(scmp_filter_ctx filter, const void *context);

struct filter;

/*
 * Of what fill puts on the lists; `otherwise` is done about calls that are on none. ERR_CONFIG
 * when the kernel has no seccomp. NULL inside where no filter is possible.
 */
MUST_CHECK enum err filter_make(struct task *task, uint32_t otherwise, filter_fill_fn *fill,
				const void *context, struct filter **ret_filter);
/* NULL: does nothing. */
MUST_CHECK enum err filter_apply(struct task *task, const struct filter *filter);
void filter_free(struct filter **filter);
