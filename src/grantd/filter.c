/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/task.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

/* A list as the kernel takes it. */
struct filter {
	size_t count;
	struct sock_filter steps[];
};

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

static void close_file(const int *file)
{
	if (*file >= 0)
		close(*file);
}

static struct filter *filter_new(size_t count)
{
	struct filter *filter = calloc(1, sizeof(*filter) + count * sizeof(*filter->steps));

	if (filter == NULL)
		abort();
	filter->count = count;
	return filter;
}

void filter_free(struct filter **filter)
{
	free(*filter);
	*filter = NULL;
}

/* Some hosts want it said that nobody runs it (vm.memfd_noexec); older kernels do not know that. */
static int make_file(void)
{
	int file = memfd_create("filter", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (file < 0 && errno == EINVAL)
		file = memfd_create("filter", MFD_CLOEXEC);
	return file;
}

/* libseccomp writes to files only. */
static int export(scmp_filter_ctx context, struct filter **ret_filter)
{
	CLEANUP(close_file) int file = make_file();
	CLEANUP(filter_free) struct filter *filter = NULL;
	int result = file < 0 ? -errno : seccomp_export_bpf(context, file);
	off_t len = result == 0 ? lseek(file, 0, SEEK_END) : 0;

	if (result != 0)
		return result;
	filter = filter_new((size_t)len / sizeof(*filter->steps));
	if (pread(file, filter->steps, (size_t)len, 0) != len)
		return -EIO;
	*ret_filter = filter;
	filter = NULL;
	return 0;
}

static enum err say(struct task *task, int error)
{
	return failf(task, ERR_INTERNAL, "system calls cannot be filtered: %s",
		     strerrordesc_np(error));
}

enum err filter_make(struct task *task, uint32_t otherwise, filter_fill_fn *fill,
		     const void *context, struct filter **ret_filter)
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
	/* unless told, it ends only the thread that calls as another architecture does, and whoever
	 * waits for that one waits for ever */
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (result == 0)
		result = fill(filter, context);
	if (result == 0)
		result = export(filter, ret_filter);
	return result == 0 ? OK : say(task, -result);
}

/* For all threads: with one that cannot follow, for none. */
static long load(const struct filter *filter)
{
	struct sock_fprog program = { (unsigned short)filter->count,
				      (struct sock_filter *)(uintptr_t)filter->steps };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

enum err filter_apply(struct task *task, const struct filter *filter)
{
	long result = filter == NULL ? 0 : load(filter);

	if (result > 0)
		return failf(task, ERR_INTERNAL,
			     "system calls cannot be filtered: thread %ld does not follow", result);
	return result == 0 ? OK : say(task, errno);
}
