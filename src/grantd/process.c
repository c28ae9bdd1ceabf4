/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"

#define LOOK_EVERY_MS 5

/*
 * Looked at and not reaped: process_end does that. One whose end the kernel kept for nobody, as
 * where SIGCHLD is ignored, has ended too; then nothing is said of how.
 */
static bool has_ended(pid_t pid, siginfo_t *info)
{
	*info = (siginfo_t){ 0 };
	if (waitid(P_PID, (id_t)pid, info, WEXITED | WNOHANG | WNOWAIT) != 0)
		return errno == ECHILD;
	return info->si_pid != 0;
}

/* Without a file for it: none is left, or a container's list of calls does not know pidfd_open. */
static bool ends_while_we_look(pid_t pid, int limit_ms)
{
	siginfo_t info;

	for (int waited = 0; waited < limit_ms && !has_ended(pid, &info); waited += LOOK_EVERY_MS)
		(void)poll(NULL, 0, LOOK_EVERY_MS);
	return has_ended(pid, &info);
}

bool process_ends(pid_t pid, int limit_ms)
{
	struct pollfd wait = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int got;

	if (wait.fd < 0)
		return ends_while_we_look(pid, limit_ms);
	do {
		got = poll(&wait, 1, limit_ms);
	} while (got < 0 && errno == EINTR);
	close(wait.fd);
	return got == 1;
}

bool process_is_gone(struct arena *arena, pid_t pid, struct str *ret_how)
{
	siginfo_t info;

	if (pid == 0 || !has_ended(pid, &info))
		return false;
	*ret_how = info.si_pid == 0
			   ? STR("nobody knows how")
			   : str_printf(arena,
					info.si_code == CLD_EXITED ? "exit status %d" : "signal %d",
					info.si_status);
	return true;
}

void process_end(pid_t *pid, int limit_ms)
{
	if (*pid == 0)
		return;
	if (!process_ends(*pid, limit_ms))
		(void)kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}

void process_follow(pid_t parent)
{
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
}

static int compare_files(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

void process_close_others(int *kept, size_t count)
{
	unsigned next = STDERR_FILENO + 1;

	qsort(kept, count, sizeof(*kept), compare_files);
	for (size_t i = 0; i < count; i++) {
		unsigned file = (unsigned)kept[i];

		if (file > next)
			(void)close_range(next, file - 1, 0);
		if (file >= next)
			next = file + 1;
	}
	(void)close_range(next, ~0U, 0);
}

bool process_hide_memory(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none); /* says it twice: who is not dumpable leaves no core */
	return prctl(PR_SET_DUMPABLE, 0) == 0;
}
