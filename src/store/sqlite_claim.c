/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process at a time: a locked file beside the database says so. It is never removed, for that
 * races.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"
#include "store/sqlite.h"

#define PID_MAX_TEXT 16

struct claim {
	int fd;
};

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static enum err name_holder(struct task *task, int fd)
{
	char text[PID_MAX_TEXT];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	struct str pid = { text, len > 0 ? (size_t)len : 0 };

	pid = str_trim(str_sub(pid, 0, str_find(pid, '\n')));
	return failf(task, ERR_CONFIG,
		     "another grantd (pid %.*s) uses this database; stop it first", STR_FMT(pid));
}

static enum err write_pid(struct task *task, int fd)
{
	struct str line = str_printf(&task->arena, "%-*ld\n", PID_MAX_TEXT - 1, (long)getpid());

	/* of one length, so that nothing has to be cut off: that waits for the disk */
	if (pwrite(fd, line.at, line.len, 0) != (ssize_t)line.len)
		return failf(task, ERR_CONFIG, "cannot write the lock file: %s", strerror(errno));
	return OK;
}

static enum err lock(struct task *task, struct str path, struct claim *claim)
{
	struct str file = STR_JOIN(&task->arena, path, STR(".lock"));

	claim->fd = open(file.at, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (claim->fd < 0)
		return failf(task, ERR_CONFIG, "cannot open the lock file %.*s: %s", STR_FMT(file),
			     strerror(errno));
	if (flock(claim->fd, LOCK_EX | LOCK_NB) != 0)
		return name_holder(task, claim->fd);
	return write_pid(task, claim->fd);
}

/* The database exists (or begins as an empty file), is ours alone to read, and can be written. */
static enum err check_file(struct task *task, struct str path, bool create)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
	CLEANUP(close_fd) int fd = open(str_to_c(&task->arena, path), flags, 0600);
	struct stat stat = { 0 };

	if (fd < 0 && errno == ENOENT && !create)
		return failf(task, ERR_CONFIG, "no database at %.*s: run grantd init",
			     STR_FMT(path));
	if (fd < 0)
		return failf(task, ERR_CONFIG, "cannot open the database %.*s: %s", STR_FMT(path),
			     strerror(errno));
	if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return failf(task, ERR_CONFIG, "%.*s is not a file", STR_FMT(path));
	if ((stat.st_mode & 077) != 0)
		return failf(task, ERR_CONFIG, "others may read the database: chmod 600 %.*s",
			     STR_FMT(path));
	return OK;
}

enum err sqlite_claim(struct task *task, struct str path, bool create, void **ret_claim)
{
	CLEANUP(sqlite_release) void *taken = NULL;
	struct claim *claim = calloc(1, sizeof(*claim));

	if (claim == NULL)
		abort();
	taken = claim;
	claim->fd = -1;
	if (!create)
		TRY(check_file(task, path, false));
	TRY(lock(task, path, claim));
	if (create)
		TRY(check_file(task, path, true));
	*ret_claim = taken;
	taken = NULL;
	return OK;
}

void sqlite_release(void **taken)
{
	struct claim *claim = *taken;

	*taken = NULL;
	if (claim == NULL)
		return;
	close_fd(&claim->fd);
	free(claim);
}
