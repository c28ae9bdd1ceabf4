/* SPDX-License-Identifier: Apache-2.0 */
/* The wall of system calls around the process that faces the network, and what must go through. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "config/file.h"
#include "grantd/filter.h"
#include "grantd/proc_status.h"
#include "grantd/sandbox.h"
#include "walls.h"

#define LOOKS 20000

static int make_empty(void)
{
	return opening(walls.config.root_key_file.at, O_RDONLY | O_TRUNC);
}

static int make_empty_unopened(void)
{
	return opening(walls.config.root_key_file.at, O_ACCMODE | O_TRUNC);
}

static int open_for_nothing(void)
{
	return opening(in_dir("grantd.conf").at, O_ACCMODE);
}

/* By both: which of the two does it depends on the kernel's Landlock. */
static void no_file_is_made_empty_or_opened_for_nothing(void **state)
{
	static int (*const acts[])(void) = { make_empty, make_empty_unopened, open_for_nothing };
	struct str key;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(acts) && filter_is_possible(); i++) {
		CHECK_ROW(does(WALL_OF_CALLS, acts[i]) == ENOSYS, "act %zu was done\n", i);
		CHECK_ROW(does(WALL_OF_FILES | WALL_OF_CALLS, acts[i]) == ENOSYS,
			  "act %zu was done\n", i);
	}
	CHECK_ERR(file_read(&walls.task, walls.config.root_key_file, 4096, &key), OK);
	CHECK(key.len > 0);
}

static int ask_for(int family)
{
	return socket(family, SOCK_RAW, 0) >= 0 ? 0 : errno;
}

static int netlink(void)
{
	return ask_for(AF_NETLINK);
}

static int packets(void)
{
	return ask_for(AF_PACKET);
}

static int newest_family(void)
{
	return ask_for(AF_MAX + 5);
}

static int trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? 0 : errno;
}

static int copy_parents_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { walls.folder, 1 };

	return process_vm_readv(getppid(), &here, 1, &there, 1, 0) == 1 ? 0 : errno;
}

static int make_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 ? 0 : errno;
}

static int kill_parent(void)
{
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int open_to_all(void)
{
	return chmod(walls.config.root_key_file.at, 0666) == 0 ? 0 : errno;
}

static int open_to_all_by_hand(void)
{
	return fchmod(STDERR_FILENO, 0666) == 0 ? 0 : errno;
}

static int listen_anew(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
}

static int turn_memory_into_code(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
}

static int be_told_by_signal(void)
{
	return fcntl(STDERR_FILENO, F_SETOWN, getppid()) == 0 ? 0 : errno;
}

static int choose_signal(void)
{
	return fcntl(STDERR_FILENO, F_SETSIG, SIGKILL) == 0 ? 0 : errno;
}

static int go_asynchronous(void)
{
	return fcntl(STDERR_FILENO, F_SETFL, O_ASYNC) == 0 ? 0 : errno;
}

static int put_parent_behind(void)
{
	return setpriority(PRIO_PROCESS, (id_t)getppid(), 5) == 0 ? 0 : errno;
}

static int raise_limit(void)
{
	const struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_CORE, &most) == 0 ? 0 : errno;
}

static void a_call_that_it_never_makes_is_refused_or_the_end(void **state)
{
	static const struct {
		int (*act)(void);
		int outcome;
	} rows[] = {
		{ netlink, EAFNOSUPPORT },	 { packets, EAFNOSUPPORT },
		{ newest_family, EAFNOSUPPORT }, { start_program, -SIGSYS },
		{ trace_parent, -SIGSYS },	 { copy_parents_memory, -SIGSYS },
		{ make_child, ENOSYS },		 { kill_parent, ENOSYS },
		{ open_to_all, ENOSYS },	 { open_to_all_by_hand, ENOSYS },
		{ listen_anew, ENOSYS },	 { turn_memory_into_code, ENOSYS },
		{ raise_limit, ENOSYS },	 { be_told_by_signal, ENOSYS },
		{ choose_signal, ENOSYS },	 { go_asynchronous, ENOSYS },
		{ put_parent_behind, ENOSYS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows) && filter_is_possible(); i++)
		CHECK_ROW(does(WALL_OF_CALLS, rows[i].act) == rows[i].outcome,
			  "act %zu ended with %d\n", i, does(WALL_OF_CALLS, rows[i].act));
}

static void *nothing(void *arg)
{
	return arg;
}

/* A thread, a name, a library: what a resolver or libcurl does long after the start. */
static int what_libraries_do_late(void)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	pthread_t thread;

	/* and its own thread may step behind, and its own files not wait */
	if (setpriority(PRIO_PROCESS, 0, 1) != 0 || fcntl(STDERR_FILENO, F_SETFL, O_APPEND) != 0)
		return 4;
	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return 1;
	if (getaddrinfo("localhost", "443", &hints, &found) != 0)
		return 2;
	freeaddrinfo(found);
	return dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL) == NULL ? 3 : 0;
}

static void what_libraries_do_late_is_allowed(void **state)
{
	(void)state;
	CHECK(does(WALL_OF_FILES | WALL_OF_CALLS, what_libraries_do_late) == 0);
}

static pthread_barrier_t together;

static void *fork_in_thread(void *arg)
{
	(void)pthread_barrier_wait(&together); /* begun */
	(void)pthread_barrier_wait(&together); /* filtered */
	*(int *)arg = make_child();
	return NULL;
}

/* Who made the list is shown for a moment still. */
static bool has_threads(struct proc_status *status, unsigned count)
{
	for (int i = 0; i < 1000; i++) {
		if (proc_status_read(&walls.task, getpid(), status) != OK)
			return false;
		if (status->threads == count)
			return true;
		usleep(1000);
	}
	return false;
}

static int filter_beside_a_thread(void)
{
	struct sandbox sandbox = { .is_wanted = true };
	struct proc_status status;
	pthread_t thread;
	int outcome = 0;

	if (pthread_barrier_init(&together, NULL, 2) != 0 ||
	    pthread_create(&thread, NULL, fork_in_thread, &outcome) != 0)
		return 1;
	(void)pthread_barrier_wait(&together);
	if (shut_calls(&sandbox) != OK || !has_threads(&status, 2))
		return 2;
	if (status.is_filtered != filter_is_possible())
		return 3;
	(void)pthread_barrier_wait(&together);
	(void)pthread_join(thread, NULL);
	return outcome;
}

static void threads_that_are_there_are_filtered_too(void **state)
{
	(void)state;
	CHECK(does(WALL_OF_FILES, filter_beside_a_thread) == (filter_is_possible() ? ENOSYS : 0));
}

static void *end_at_once(void *arg)
{
	return arg;
}

static void *begin_threads(void *arg)
{
	const atomic_bool *is_over = arg;
	pthread_t thread;

	while (!atomic_load(is_over))
		if (pthread_create(&thread, NULL, end_at_once, NULL) == 0)
			(void)pthread_join(thread, NULL);
	return NULL;
}

/* How often it was said of a process whose threads come and go that one has no walls. */
static int look_while_threads_end(void)
{
	atomic_bool is_over = false;
	pthread_t thread;
	int wrong = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    pthread_create(&thread, NULL, begin_threads, &is_over) != 0)
		return 199;
	for (int i = 0; i < LOOKS; i++) {
		struct task task = { 0 };
		struct proc_status status;

		if (proc_status_read(&task, getpid(), &status) != OK || !status.has_no_new_privs)
			wrong = wrong < 100 ? wrong + 1 : wrong;
		task_end(&task);
	}
	atomic_store(&is_over, true);
	(void)pthread_join(thread, NULL);
	return wrong;
}

static void a_thread_that_ends_is_none_without_walls(void **state)
{
	(void)state;
	CHECK(does(0, look_while_threads_end) == 0);
}

static int begin_with_core_files(void)
{
	struct rlimit core = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	struct sandbox sandbox = { .is_wanted = true };

	if (getrlimit(RLIMIT_CORE, &core) != 0)
		return 1;
	core.rlim_cur = core.rlim_max;
	if (setrlimit(RLIMIT_CORE, &core) != 0)
		return 1;
	return (int)shut_calls(&sandbox);
}

static void what_proc_says_counts_and_not_that_nothing_went_wrong(void **state)
{
	struct rlimit core = { 0 };

	(void)state;
	if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0)
		skip(); /* who may not have core files cannot be caught with them */
	CHECK(does(0, begin_with_core_files) == (int)ERR_INTERNAL);
}

int main(void)
{
	return RUN(CASE(no_file_is_made_empty_or_opened_for_nothing),
		   CASE(a_call_that_it_never_makes_is_refused_or_the_end),
		   CASE(what_libraries_do_late_is_allowed),
		   CASE(threads_that_are_there_are_filtered_too),
		   CASE(a_thread_that_ends_is_none_without_walls),
		   CASE(what_proc_says_counts_and_not_that_nothing_went_wrong));
}
