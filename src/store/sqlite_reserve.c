/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICES 16
#define BLOCK  512 /* st_blocks counts these */

static struct str file_beside(struct task *task, struct str database)
{
	return STR_JOIN(&task->arena, database, STR(".reserve"));
}

/* What is really allocated of it: a file that was copied may be nothing but a length. */
static int64_t held_by(const struct stat *stat)
{
	int64_t allocated = (int64_t)stat->st_blocks * BLOCK;

	return allocated < stat->st_size ? allocated : (int64_t)stat->st_size;
}

static void measure(struct sqlite_reserve *reserve)
{
	struct stat stat = { 0 };

	reserve->held = fstat(reserve->fd, &stat) == 0 ? held_by(&stat) : 0;
}

/* All or, on a full disk, as much as it had. */
static bool grow(struct sqlite_reserve *reserve, int64_t size)
{
	bool has_grown = posix_fallocate(reserve->fd, 0, (off_t)size) == 0;

	if (ftruncate(reserve->fd, (off_t)(has_grown ? reserve->wanted : reserve->held)) != 0)
		return false;
	measure(reserve);
	return has_grown;
}

static enum err open_file(struct task *task, struct str file, int *ret_fd)
{
	*ret_fd = open(file.at, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (*ret_fd < 0)
		return failf(task, ERR_CONFIG, "cannot make %.*s: %s", STR_FMT(file),
			     strerror(errno));
	return OK;
}

enum err sqlite_reserve_open(struct task *task, struct str database, int64_t wanted,
			     struct sqlite_reserve *ret_reserve)
{
	CLEANUP(sqlite_reserve_close) struct sqlite_reserve reserve = SQLITE_RESERVE_NONE;
	struct str file = file_beside(task, database);
	struct stat stat = { 0 };

	TRY(open_file(task, file, &reserve.fd));
	if (fstat(reserve.fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return failf(task, ERR_CONFIG, "%.*s is not a file", STR_FMT(file));
	reserve.wanted = wanted;
	reserve.held = held_by(&stat);
	(void)grow(&reserve, wanted);
	*ret_reserve = reserve;
	reserve = SQLITE_RESERVE_NONE;
	return OK;
}

void sqlite_reserve_close(struct sqlite_reserve *reserve)
{
	if (reserve->fd >= 0)
		close(reserve->fd);
	*reserve = SQLITE_RESERVE_NONE;
}

static int64_t slice_of(const struct sqlite_reserve *reserve)
{
	return reserve->wanted / SLICES;
}

bool sqlite_reserve_give(struct sqlite_reserve *reserve)
{
	int64_t before = reserve->held;
	int64_t less = before > slice_of(reserve) ? before - slice_of(reserve) : 0;

	if (reserve->fd < 0 || before == 0 || ftruncate(reserve->fd, (off_t)less) != 0)
		return false;
	measure(reserve);
	return reserve->held < before;
}

bool sqlite_reserve_refill(struct sqlite_reserve *reserve)
{
	if (reserve->fd < 0)
		return true;
	/* what it takes beside its own is the proof that others find space too */
	return grow(reserve, reserve->wanted + slice_of(reserve));
}

enum err sqlite_reserve_check(struct task *task, struct str database, int64_t wanted)
{
	struct str file = file_beside(task, database);
	struct stat stat = { 0 };

	if (lstat(file.at, &stat) != 0)
		return failf(task, ERR_CONFIG,
			     "%.*s is missing, so nothing can be stopped when the disk is full; "
			     "start grantd, it makes the file",
			     STR_FMT(file));
	if (!S_ISREG(stat.st_mode))
		return failf(task, ERR_CONFIG, "%.*s is not a file; remove it, then start grantd",
			     STR_FMT(file));
	if (held_by(&stat) < wanted)
		return failf(task, ERR_CONFIG,
			     "%.*s holds back %lld of %lld bytes of disk; make space, grantd fills "
			     "it up",
			     STR_FMT(file), (long long)held_by(&stat), (long long)wanted);
	return OK;
}
