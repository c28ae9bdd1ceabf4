/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/browser.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"

/* Its output would mix with ours, which scripts read. */
static void be_silent(posix_spawn_file_actions_t *actions)
{
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
}

enum err browser_open(struct task *task, struct str address, char *const *environment)
{
	static char program[] = "xdg-open";
	char *text = arena_alloc(&task->arena, address.len + 1);
	char *const words[] = { program, text, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int error;

	memcpy(text, address.at, address.len);
	posix_spawn_file_actions_init(&actions);
	be_silent(&actions);
	error = posix_spawnp(&pid, program, &actions, NULL, words, environment);
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0)
		return failf(task, ERR_IO, "xdg-open: %s", strerror(error));
	return OK;
}
