/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/task.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

bool filter_is_possible(void)
{
	return !IS_SANITIZED;
}

static void release(scmp_filter_ctx *filter)
{
	if (*filter != NULL)
		seccomp_release(*filter);
}

int filter_add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = seccomp_rule_add(filter, action, calls[i], 0);
	return result;
}

/*
 * seccomp(2): a kernel that knows filters looks for the one that is not there. libseccomp says the
 * same of a kernel without them as of want of memory, so it is asked before.
 */
static bool kernel_has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 || errno != EINVAL;
}

enum err filter_load(struct task *task, uint32_t otherwise, filter_fill_fn *fill,
		     const void *context)
{
	CLEANUP(release) scmp_filter_ctx filter = NULL;
	int result;

	if (IS_SANITIZED)
		return OK;
	if (!kernel_has_filters())
		return fail(task, ERR_CONFIG, "the kernel cannot filter system calls");
	filter = seccomp_init(otherwise);
	if (filter == NULL)
		return fail(task, ERR_INTERNAL, "no memory for a filter of system calls");
	result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* unless told, it ends only the thread that calls as another architecture does, and whoever
	 * waits for that one waits for ever */
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (result == 0)
		result = fill(filter, context);
	if (result == 0)
		result = seccomp_load(filter);
	if (result != 0)
		return failf(task, ERR_INTERNAL, "system calls cannot be filtered: %s",
			     strerrordesc_np(-result));
	return OK;
}
