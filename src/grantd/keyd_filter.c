/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/keyd_filter.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/task.h"
#include "grantd/filter.h"

/*
 * To answer on pipes, to have memory, to wait for a lock, to draw randomness, to end. Nothing that
 * opens, connects, sends, starts or looks at another process.
 */
static const int allowed[] = {
	SCMP_SYS(read),		SCMP_SYS(write),	   SCMP_SYS(futex),
	SCMP_SYS(brk),		SCMP_SYS(munmap),	   SCMP_SYS(madvise),
	SCMP_SYS(mremap),	SCMP_SYS(getrandom),	   SCMP_SYS(clock_gettime),
	SCMP_SYS(getpid),	SCMP_SYS(gettid),	   SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),	SCMP_SYS(tgkill), /* abort() */
};

/*
 * Libraries look for a file when they first want to (a setting, a better clock) and do without one
 * that they may not open; for that alone nobody's keys should go down.
 */
static const int refused[] = { SCMP_SYS(openat) };

/* Memory, but never memory to execute. */
static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

static int fill(scmp_filter_ctx filter, const void *context)
{
	const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int result = filter_add(filter, SCMP_ACT_ALLOW, allowed, COUNT_OF(allowed));

	(void)context;
	if (result == 0)
		result = filter_add(filter, SCMP_ACT_ERRNO(EACCES), refused, COUNT_OF(refused));
	for (size_t i = 0; i < COUNT_OF(mapping) && result == 0; i++)
		result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, mapping[i], 1,
						&not_executable);
	return result;
}

enum err keyd_filter(struct task *task)
{
	CLEANUP(filter_free) struct filter *filter = NULL;

	TRY(filter_make(task, SCMP_ACT_KILL_PROCESS, fill, NULL, &filter));
	return filter_apply(task, filter);
}
