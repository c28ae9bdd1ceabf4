/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/task.h"
#include "grantd/process.h"

static const char *const folders[] = { "/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
				       "/usr/bin/",	   "/sbin/",	      "/bin/" };

static char *const environment[] = {
	(char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
	(char[]){ "LANG=C" },
	NULL,
};

static enum err find_command(struct task *task, struct str name, const char **ret_path)
{
	if (str_has(name, '/')) {
		*ret_path = str_to_c(&task->arena, name);
		return OK;
	}
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		struct str path = STR_JOIN(&task->arena, str_from_c(folders[i]), name);

		if (access(path.at, X_OK) == 0) {
			*ret_path = path.at;
			return OK;
		}
	}
	return failf(task, ERR_IO, "%.*s: no such command", STR_FMT(name));
}

/* Signals as a fresh program expects them, and a process group of its own so that all of it can be
 * ended. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						     POSIX_SPAWN_SETPGROUP);
}

static void set_files(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addchdir_np(actions, "/");
	posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static enum err spawn(struct task *task, const struct str *arguments, size_t count, pid_t *ret_pid)
{
	char **list = NEW_ARRAY(&task->arena, char *, count + 1);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	const char *path = NULL;
	int error;

	TRY(find_command(task, arguments[0], &path));
	for (size_t i = 0; i < count; i++)
		list[i] = (char *)(uintptr_t)str_to_c(&task->arena, arguments[i]);
	set_attributes(&attributes);
	set_files(&actions);
	error = posix_spawn(ret_pid, path, &actions, &attributes, list, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (error != 0)
		return failf(task, ERR_IO, "%s: cannot be started: %s", path, strerror(error));
	return OK;
}

static pid_t await_end(pid_t pid, int *ret_status)
{
	pid_t ended;

	do
		ended = waitpid(pid, ret_status, 0);
	while (ended < 0 && errno == EINTR);
	return ended;
}

enum err command_run(struct task *task, const struct str *arguments, size_t count, int limit_ms,
		     int *ret_status)
{
	pid_t pid = -1, ended;
	bool in_time;
	int status = 0;

	TRY(spawn(task, arguments, count, &pid));
	in_time = process_ends(pid, limit_ms);
	if (!in_time)
		kill(-pid, SIGKILL);
	ended = await_end(pid, &status);
	if (!in_time)
		return failf(task, ERR_TIMEOUT, "it was ended after %d ms", limit_ms);
	if (ended != pid)
		return failf(task, ERR_IO, "how it ended is not known: %s", strerror(errno));
	if (!WIFEXITED(status))
		return failf(task, ERR_IO, "it was ended by signal %d", WTERMSIG(status));
	*ret_status = WEXITSTATUS(status);
	return OK;
}
