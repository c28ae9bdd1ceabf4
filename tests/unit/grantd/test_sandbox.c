/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walls around the process that faces the network, from inside: what a thief in there gets at.
 * Each act runs in a child that shuts itself in as grantd does. Where a sanitizer is built in there
 * is no filter of system calls, and only the files are tested.
 */
#include "grantd/sandbox.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "config/file.h"
#include "crypto/keys.h"
#include "grantd/filter.h"
#include "grantd/landlock.h"
#include "grantd/proc_status.h"

static struct check_clock check_clock;
static struct task task;
static struct config config;
static char folder[64];

static struct str in_dir(const char *name)
{
	return file_path(&task, config.dir, str_from_c(name));
}

static int begin(void **state)
{
	static const char *const folders[] = { "tls", "resources", "share" };

	(void)state;
	check_clock_start(&check_clock);
	task_begin(&task, &check_clock.clock, NULL);
	(void)snprintf(folder, sizeof(folder), "/tmp/grantd-sandbox-XXXXXX");
	assert_non_null(mkdtemp(folder));
	config = (struct config){ .dir = str_from_c(folder), .plain = true, .sandbox = true };
	config.root_key_file = in_dir("root.key");
	config.backup_dir = in_dir("backups");
	config.share_dir = in_dir("share");
	config.admin_socket = in_dir("admin.sock");
	config.database = STR_JOIN(&task.arena, STR("sqlite:"), in_dir("grantd.db"));
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		assert_int_equal(mkdir(in_dir(folders[i]).at, 0700), 0);
	CHECK_ERR(keys_create_root(&task, config.root_key_file), OK);
	CHECK_ERR(file_replace(&task, in_dir("grantd.conf"), STR("issuer = x\n"), 0600), OK);
	CHECK_ERR(file_replace(&task, in_dir("grantd.db"), STR("x"), 0600), OK);
	CHECK_ERR(file_replace(&task, in_dir("share/page.html"), STR("x"), 0600), OK);
	CHECK_ERR(file_replace(&task, in_dir("tls/key.pem"), STR("x"), 0600), OK);
	return 0;
}

static int end(void **state)
{
	char *const remove[] = { (char[]){ "rm" }, (char[]){ "-rf" }, folder, NULL };
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(execv("/bin/rm", remove));
	(void)waitpid(pid, NULL, 0);
	task_end(&task);
	return 0;
}

enum { WALL_OF_FILES = 1, WALL_OF_CALLS = 2 };

/* How a child ends that shuts itself in and does this: what act answers (an errno), or -signal. */
static int does(unsigned walls, int (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox sandbox = { .is_wanted = true };

		if ((walls & WALL_OF_FILES) &&
		    sandbox_shut_files(&task, &config, STR_NONE, &sandbox) != OK)
			_exit(200);
		if ((walls & WALL_OF_CALLS) && sandbox_shut_calls(&task, NULL, 0, &sandbox) != OK)
			_exit(201);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- files --- */

static int opening(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600) >= 0 ? 0 : errno;
}

/* What is to be opened next; below DIR unless it begins with '/'. */
static struct {
	const char *path;
	int flags;
} wanted;

static int open_wanted(void)
{
	return opening(in_dir(wanted.path).at, wanted.flags);
}

static int read_root_key(void)
{
	return opening(config.root_key_file.at, O_RDONLY);
}

static int move_root_key(void)
{
	return rename(config.root_key_file.at, in_dir("backups/key").at) == 0 ? 0 : errno;
}

static int link_root_key(void)
{
	return link(config.root_key_file.at, in_dir("backups/key").at) == 0 ? 0 : errno;
}

static int replace_settings(void)
{
	return opening(in_dir("backups/conf").at, O_WRONLY | O_CREAT) != 0
		       ? 199
		       : (rename(in_dir("backups/conf").at, in_dir("grantd.conf").at) == 0 ? 0
											   : errno);
}

static int lead_to_root_key(void)
{
	return symlink(config.root_key_file.at, in_dir("backups/key").at) == 0 ? 0 : errno;
}

static int read_parents_memory(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return opening(path, O_RDONLY);
}

static int start_program(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static void no_file_is_opened_that_is_not_its_own(void **state)
{
	static int (*const acts[])(void) = { read_root_key, read_parents_memory, lead_to_root_key,
					     start_program };
	static const struct {
		const char *path;
		int flags;
	} rows[] = {
		{ "/etc/shadow", O_RDONLY },
		{ "tls/key.pem", O_RDONLY },
		{ "grantd.conf", O_WRONLY },
		{ "new", O_WRONLY | O_CREAT },
		{ "resources/evil.json", O_WRONLY | O_CREAT },
		{ "/tmp/grantd-sandbox-outside", O_WRONLY | O_CREAT },
		{ "/dev/shm/grantd-sandbox-outside", O_WRONLY | O_CREAT },
	};

	(void)state;
	if (landlock_version() == 0)
		skip();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		wanted.path = rows[i].path;
		wanted.flags = rows[i].flags;
		CHECK_ROW(does(WALL_OF_FILES, open_wanted) == EACCES, "%s was opened\n",
			  rows[i].path);
	}
	for (size_t i = 0; i < COUNT_OF(acts); i++)
		CHECK_ROW(does(WALL_OF_FILES, acts[i]) == EACCES, "act %zu was done\n", i);
	CHECK(does(WALL_OF_FILES, move_root_key) == EXDEV ||
	      does(WALL_OF_FILES, move_root_key) == EACCES);
	CHECK(does(WALL_OF_FILES, link_root_key) == EXDEV ||
	      does(WALL_OF_FILES, link_root_key) == EACCES);
	CHECK(does(WALL_OF_FILES, replace_settings) == EXDEV ||
	      does(WALL_OF_FILES, replace_settings) == EACCES);
	CHECK(access("/tmp/grantd-sandbox-outside", F_OK) != 0);
	/* and without the walls each of them is a matter of who one is */
	wanted.path = "new";
	wanted.flags = O_WRONLY | O_CREAT;
	CHECK(does(0, read_root_key) == 0 && does(0, open_wanted) == 0);
}

static int use_its_own(void)
{
	static const char *const written[] = { "grantd.db",	    "grantd.db-wal",
					       "grantd.db-shm",	    "grantd.db.lock",
					       "grantd.db.reserve", "ended.log" };
	int result = 0;

	for (size_t i = 0; i < COUNT_OF(written) && result == 0; i++)
		result = opening(in_dir(written[i]).at, O_RDWR);
	if (result == 0)
		result = opening(in_dir("share/page.html").at, O_RDONLY);
	if (result == 0)
		result = opening(in_dir("backups/new").at, O_RDWR | O_CREAT | O_EXCL);
	if (result == 0 && unlink(in_dir("backups/new").at) != 0)
		result = errno;
	if (result == 0)
		result = opening("/etc/hosts", O_RDONLY);
	return result;
}

static int bind_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/admin.sock", folder);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return errno;
	return unlink(address.sun_path) == 0 ? 0 : errno;
}

static void what_serving_takes_is_open(void **state)
{
	(void)state;
	CHECK(does(WALL_OF_FILES, use_its_own) == 0);
	CHECK(does(WALL_OF_FILES, bind_socket) == 0);
	CHECK(does(WALL_OF_FILES | WALL_OF_CALLS, use_its_own) == 0);
}

static int the_root_key_is_hidden(void)
{
	struct sandbox sandbox = { 0 };

	return sandbox_shut_files(&task, &config, STR_NONE, &sandbox) == OK && sandbox.hides_root
		       ? 0
		       : 1;
}

static void a_root_key_in_a_folder_that_is_read_is_told(void **state)
{
	(void)state;
	if (landlock_version() == 0)
		skip();
	CHECK(does(0, the_root_key_is_hidden) == 0);
	config.root_key_file = in_dir("share/page.html");
	CHECK(does(0, the_root_key_is_hidden) == 1);
}

static void switched_off_nothing_is_shut(void **state)
{
	(void)state;
	config.sandbox = false;
	CHECK(does(WALL_OF_FILES, read_root_key) == 0);
}

/* --- system calls --- */

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
	struct iovec here = { &byte, 1 }, there = { folder, 1 };

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
	return chmod(config.root_key_file.at, 0666) == 0 ? 0 : errno;
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
		{ raise_limit, ENOSYS },
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
	if (sandbox_shut_calls(&task, NULL, 0, &sandbox) != OK ||
	    proc_status_read(&task, getpid(), &status) != OK || status.threads != 2)
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

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(CASE(no_file_is_opened_that_is_not_its_own), CASE(what_serving_takes_is_open),
		   CASE(a_root_key_in_a_folder_that_is_read_is_told),
		   CASE(switched_off_nothing_is_shut),
		   CASE(a_call_that_it_never_makes_is_refused_or_the_end),
		   CASE(what_libraries_do_late_is_allowed),
		   CASE(threads_that_are_there_are_filtered_too));
}
