/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/network_filter.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/task.h"
#include "grantd/aside.h"
#include "grantd/filter.h"

/*
 * What is on no list is answered ENOSYS, as by a kernel that does not know it: a library that has
 * learned a newer call goes back to the older one, and nobody's service goes down for it.
 */
#define OTHERWISE SCMP_ACT_ERRNO(ENOSYS)

static const int allowed[] = {
	/* connections */
	SCMP_SYS(accept4),
	SCMP_SYS(connect),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(socketpair), /* libcurl wakes itself by one */
	/* what is open */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(preadv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(flock),
	SCMP_SYS(fstat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64),
	SCMP_SYS(fchown), /* SQLite gives its log the database's owner, as root */
	SCMP_SYS(getdents64),
	/* files by name: which ones is Landlock's affair */
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(statfs),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(umask),
	/* waiting */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(futex),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(pidfd_open), /* for a child's end */
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mincore),
	SCMP_SYS(msync),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(membarrier),
	/* threads and itself */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(rseq),
	SCMP_SYS(arch_prctl),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getgroups),
	SCMP_SYS(getresuid),
	SCMP_SYS(getresgid),
	SCMP_SYS(getpriority),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_setaffinity), /* keyd's thread beside its asker: crypto/key_line */
	SCMP_SYS(getcpu),
	SCMP_SYS(getrusage),
	SCMP_SYS(times),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	/* signals, time, chance, the end */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(rt_sigsuspend),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(alarm), /* libcurl's resolver, without threads */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* No library of ours ever makes these; who does is an intruder, and his last call it is. */
static const int fatal[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(mount),
	SCMP_SYS(pivot_root),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
};

/* What a library asks about a file or socket; devices have far more. */
static const unsigned requests[] = { FIONREAD, FIONBIO, TCGETS };

static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };

static const int names[] = {
	PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS, PR_SET_VMA,
};

/* Of files and their locks; not who gets a signal for one (F_SETOWN, F_SETSIG). */
static const int file_words[] = {
	F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_GETLK, F_SETLK, F_SETLKW,
};

static int allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp is)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is);
}

static int allow_both(scmp_filter_ctx filter, int call, struct scmp_arg_cmp is,
		      struct scmp_arg_cmp also)
{
	const struct scmp_arg_cmp both[] = { is, also };

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 2, both);
}

static int add_calls(scmp_filter_ctx filter)
{
	int result = filter_add(filter, SCMP_ACT_ALLOW, allowed, COUNT_OF(allowed));

	if (result == 0)
		result = filter_add(filter, SCMP_ACT_KILL_PROCESS, fatal, COUNT_OF(fatal));
	return result;
}

static int refuse_family(scmp_filter_ctx filter, struct scmp_arg_cmp is)
{
	return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
				      &is);
}

/* Other kinds of sockets do not exist for it (as RestrictAddressFamilies of systemd says it). */
static int add_sockets(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(families) && result == 0; i++)
		result = allow_if(filter, SCMP_SYS(socket),
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	for (int family = 0; family < AF_INET6 && result == 0; family++)
		if (family != AF_UNIX && family != AF_INET)
			result = refuse_family(filter, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	if (result == 0)
		result = refuse_family(filter, SCMP_A0(SCMP_CMP_GT, AF_INET6));
	return result;
}

static int add_words(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(requests) && result == 0; i++)
		result = allow_if(filter, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, requests[i]));
	for (size_t i = 0; i < COUNT_OF(names) && result == 0; i++)
		result = allow_if(filter, SCMP_SYS(prctl),
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)names[i]));
	for (size_t i = 0; i < COUNT_OF(file_words) && result == 0; i++)
		result = allow_if(filter, SCMP_SYS(fcntl),
				  SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)file_words[i]));
	if (result == 0)
		result = allow_both(filter, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFL),
				    SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, 0));
	/* its own thread: http/lane puts passwords behind tokens */
	if (result == 0)
		result = allow_both(filter, SCMP_SYS(setpriority),
				    SCMP_A0(SCMP_CMP_EQ, PRIO_PROCESS), SCMP_A1(SCMP_CMP_EQ, 0));
	/* limits may be looked at */
	if (result == 0)
		result = allow_if(filter, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
	return result;
}

/*
 * Which files may be opened is Landlock's affair; but its first versions ask nobody when a file is
 * made empty, or opened neither to be read nor to be written (O_ACCMODE 3).
 */
static int add_opening(scmp_filter_ctx filter)
{
	const scmp_datum_t asked = O_ACCMODE | O_TRUNC;
	int result = 0;

	for (scmp_datum_t mode = O_RDONLY; mode <= O_RDWR && result == 0; mode++) {
		result = allow_if(filter, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, asked, mode));
		if (result == 0)
			result = allow_if(filter, SCMP_SYS(openat),
					  SCMP_A2(SCMP_CMP_MASKED_EQ, asked, mode));
	}
	return result;
}

/*
 * Memory is written or executed, never both, and what was written in memory does not become code.
 * A file may be mapped as code (a resolver's module is loaded when it is first needed), one that
 * was written before too: there a file system without execution is the wall (the systemd unit).
 */
static int add_memory(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp not_written = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE, 0);
	const struct scmp_arg_cmp not_executed = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int result = allow_if(filter, SCMP_SYS(mmap), not_executed);

	if (result == 0)
		result = allow_if(filter, SCMP_SYS(mmap), not_written);
	if (result == 0)
		result = allow_if(filter, SCMP_SYS(mprotect), not_executed);
	return result;
}

/*
 * Threads, never processes. clone3 hides its flags behind a pointer; it is on no list, and the C
 * library goes back to clone.
 */
static int add_threads(scmp_filter_ctx filter)
{
	return allow_if(filter, SCMP_SYS(clone),
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

struct network_filter {
	pid_t children[NETWORK_CHILDREN_MAX];
	size_t count;
	struct aside *making;
	struct filter *filter; /* NULL: not made yet, or none is possible */
};

static int add_signals(scmp_filter_ctx filter, const struct network_filter *kin)
{
	const scmp_datum_t own = (scmp_datum_t)getpid();
	int result = allow_if(filter, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, own));

	for (size_t i = 0; i < kin->count && result == 0; i++)
		result = allow_if(filter, SCMP_SYS(kill),
				  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)kin->children[i]));
	return result;
}

static int fill(scmp_filter_ctx filter, const void *context)
{
	int result = add_calls(filter);

	if (result == 0)
		result = add_sockets(filter);
	if (result == 0)
		result = add_words(filter);
	if (result == 0)
		result = add_opening(filter);
	if (result == 0)
		result = add_memory(filter);
	if (result == 0)
		result = add_threads(filter);
	if (result == 0)
		result = add_signals(filter, context);
	/* a tree, or each of a hundred numbers would be compared with each call's */
	if (result == 0)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return result;
}

static enum err make(struct task *task, void *arg)
{
	struct network_filter *made = arg;

	return filter_make(task, OTHERWISE, fill, made, &made->filter);
}

struct network_filter *network_filter_new(struct task *task, const pid_t *children, size_t count)
{
	struct network_filter *made = calloc(1, sizeof(*made));

	if (made == NULL)
		abort();
	assert(count <= NETWORK_CHILDREN_MAX);
	made->count = count;
	for (size_t i = 0; i < count; i++)
		made->children[i] = children[i];
	made->making = aside_start(task, make, made);
	return made;
}

enum err network_filter_apply(struct task *task, struct network_filter *made)
{
	TRY(aside_join(task, &made->making));
	return filter_apply(task, made->filter);
}

void network_filter_free(struct network_filter **made)
{
	if (*made == NULL)
		return;
	aside_forget(&(*made)->making);
	filter_free(&(*made)->filter);
	free(*made);
	*made = NULL;
}
