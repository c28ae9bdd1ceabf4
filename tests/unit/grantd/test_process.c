/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a process's end: by a file for it (pidfd_open), and when none can be had. */
#include "grantd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "check.h"

#define LONG_MS	 10000
#define SHORT_MS 30

/* It writes a word some time after its input has ended: as keyd, which finishes what it has. */
static struct worker {
	pid_t pid;
	int input;
	int output;
} worker;

static struct rlimit files;

static void work(int input, int output)
{
	char byte;

	while (read(input, &byte, 1) > 0)
		;
	usleep(50 * 1000);
	_exit(write(output, "done", 4) == 4 ? 7 : 1);
}

static void start_worker(void)
{
	int in[2], out[2];

	CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	worker = (struct worker){ .pid = fork(), .input = in[1], .output = out[0] };
	CHECK(worker.pid >= 0);
	if (worker.pid == 0) {
		close(in[1]);
		work(in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
}

static bool worker_was_done(void)
{
	char word[4];
	ssize_t got = read(worker.output, word, sizeof(word));

	close(worker.output);
	return got == 4 && memcmp(word, "done", 4) == 0;
}

static int keep_files(void **state)
{
	(void)state;
	return getrlimit(RLIMIT_NOFILE, &files);
}

static int give_files_back(void **state)
{
	(void)state;
	return setrlimit(RLIMIT_NOFILE, &files);
}

static void leave_no_file(void)
{
	const struct rlimit none = { 0, files.rlim_max };

	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHECK(pidfd_open(getpid(), 0) < 0 && errno == EMFILE);
}

static void check_its_end_is_waited_for(void)
{
	struct arena arena = { 0 };
	struct str how;

	close(worker.input);
	CHECK(process_ends(worker.pid, LONG_MS));
	CHECK(process_ends(worker.pid, 0));
	CHECK(process_is_gone(&arena, worker.pid, &how));
	CHECK_STR(how, STR("exit status 7"));
	process_end(&worker.pid, LONG_MS);
	CHECK(worker.pid == 0);
	CHECK(worker_was_done());
	arena_free(&arena);
}

static void check_it_is_killed_after_its_time(void)
{
	CHECK(!process_ends(worker.pid, SHORT_MS));
	process_end(&worker.pid, SHORT_MS);
	CHECK(worker.pid == 0);
	close(worker.input);
	CHECK(!worker_was_done());
}

static void who_ends_in_time_is_waited_for(void **state)
{
	(void)state;
	start_worker();
	check_its_end_is_waited_for();
}

/* grantd has the ends of its processes kept; who waits for one must not rely on that. */
static void one_whose_end_the_kernel_did_not_keep_has_ended(void **state)
{
	struct arena arena = { 0 };
	struct str how;

	(void)state;
	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	start_worker();
	close(worker.input);
	CHECK(worker_was_done());
	while (kill(worker.pid, 0) == 0)
		usleep(1000);
	CHECK(process_ends(worker.pid, SHORT_MS));
	CHECK(process_is_gone(&arena, worker.pid, &how));
	CHECK_STR(how, STR("nobody knows how"));
	CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	arena_free(&arena);
}

static void who_ends_in_time_is_waited_for_without_a_file_for_it(void **state)
{
	(void)state;
	start_worker();
	leave_no_file();
	check_its_end_is_waited_for();
}

static void who_takes_longer_is_killed(void **state)
{
	(void)state;
	start_worker();
	check_it_is_killed_after_its_time();
}

static void who_takes_longer_is_killed_without_a_file_for_it(void **state)
{
	(void)state;
	start_worker();
	leave_no_file();
	check_it_is_killed_after_its_time();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, keep_files, give_files_back)

int main(void)
{
	return RUN(CASE(who_ends_in_time_is_waited_for),
		   CASE(who_ends_in_time_is_waited_for_without_a_file_for_it),
		   CASE(one_whose_end_the_kernel_did_not_keep_has_ended),
		   CASE(who_takes_longer_is_killed),
		   CASE(who_takes_longer_is_killed_without_a_file_for_it));
}
