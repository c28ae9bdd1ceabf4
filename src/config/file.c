/* SPDX-License-Identifier: Apache-2.0 */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/task.h"

#define SECRET_FILE_MAX 4096

/* Written once, before there are threads. */
static struct file_opener opener;

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

struct str file_path(struct task *task, struct str dir, struct str path)
{
	if (str_starts_with(path, STR("/")))
		return path;
	return STR_JOIN(&task->arena, dir, STR("/"), path);
}

void file_open_by(const struct file_opener *by)
{
	opener = *by;
}

int file_open(const char *path)
{
	if (opener.open != NULL)
		return opener.open(opener.context, path, FILE_READ_FLAGS);
	return open(path, FILE_READ_FLAGS);
}

static enum err open_plain(struct task *task, struct str path, int *ret_fd, struct stat *ret_stat)
{
	CLEANUP(close_fd) int fd = file_open(str_to_c(&task->arena, path));

	if (fd < 0 && errno == ENOENT)
		return failf(task, ERR_NOT_FOUND, "%.*s: no such file", STR_FMT(path));
	if (fd < 0)
		return failf(task, ERR_CONFIG, "%.*s: cannot be read: %s", STR_FMT(path),
			     strerror(errno));
	if (fstat(fd, ret_stat) != 0 || !S_ISREG(ret_stat->st_mode))
		return failf(task, ERR_CONFIG, "%.*s: is not a plain file", STR_FMT(path));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

/* Reads until end of file or max bytes. */
static ssize_t read_up_to(int fd, char *at, size_t max)
{
	size_t len = 0;

	while (len < max) {
		ssize_t got = read(fd, at + len, max - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

enum err file_read(struct task *task, struct str path, size_t max, struct str *ret_text)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat status;
	ssize_t len;
	char *at;

	TRY(open_plain(task, path, &fd, &status));
	if (status.st_size < 0 || (size_t)status.st_size > max)
		return failf(task, ERR_CONFIG, "%.*s: is larger than %zu bytes", STR_FMT(path),
			     max);
	at = arena_alloc(&task->arena, (size_t)status.st_size + 1);
	len = read_up_to(fd, at, (size_t)status.st_size);
	if (len < 0)
		return failf(task, ERR_CONFIG, "%.*s: cannot be read: %s", STR_FMT(path),
			     strerror(errno));
	*ret_text = (struct str){ at, (size_t)len };
	return OK;
}

static enum err check_private(struct task *task, struct str path, const struct stat *status)
{
	if (status->st_uid != geteuid() && status->st_uid != 0)
		return failf(task, ERR_CONFIG, "%.*s: belongs to another user; run: chown %u %.*s",
			     STR_FMT(path), (unsigned)geteuid(), STR_FMT(path));
	if (status->st_mode & 077)
		return failf(task, ERR_CONFIG,
			     "%.*s: others may read it (mode %04o); run: chmod 600 %.*s",
			     STR_FMT(path), (unsigned)status->st_mode & 07777, STR_FMT(path));
	return OK;
}

enum err file_check_private(struct task *task, struct str path)
{
	CLEANUP(close_fd) int fd = -1;
	struct stat status;

	TRY(open_plain(task, path, &fd, &status));
	return check_private(task, path, &status);
}

enum err file_read_secret(struct task *task, struct str path, struct secret *ret_secret)
{
	CLEANUP(close_fd) int fd = -1;
	char text[SECRET_FILE_MAX + 1];
	struct str line;
	struct stat status;
	ssize_t len;

	if (open_plain(task, path, &fd, &status) != OK)
		return failf(task, ERR_CONFIG, "%.*s; write the secret there, mode 0600",
			     STR_FMT(task->reason));
	TRY(check_private(task, path, &status));
	len = read_up_to(fd, text, sizeof(text));
	if (len < 0 || len > SECRET_FILE_MAX)
		return failf(task, ERR_CONFIG, "%.*s: is not a short text file", STR_FMT(path));
	line = (struct str){ text, (size_t)len };
	if (str_ends_with(line, STR("\n")))
		line.len--;
	if (str_ends_with(line, STR("\r")))
		line.len--;
	if (line.len > 0 && str_is_text(line) && !str_has(line, '\n'))
		secret_set(ret_secret, line.at, line.len);
	else
		line.len = 0;
	explicit_bzero(text, sizeof(text));
	if (line.len == 0)
		return failf(task, ERR_CONFIG, "%.*s: must hold one line with the secret",
			     STR_FMT(path));
	return OK;
}

enum err file_write_all(int fd, struct str text)
{
	while (text.len > 0) {
		ssize_t written = write(fd, text.at, text.len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return ERR_IO;
		text = str_from(text, (size_t)written);
	}
	return OK;
}

static struct str directory_of(struct task *task, struct str path)
{
	size_t end = path.len;

	while (end > 0 && path.at[end - 1] != '/')
		end--;
	return end == 0 ? STR(".") : str_copy(&task->arena, str_sub(path, 0, end));
}

enum err file_sync_folder(struct task *task, struct str path)
{
	struct str directory = directory_of(task, path);
	CLEANUP(close_fd) int fd = open(directory.at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return failf(task, ERR_IO, "%.*s: cannot be synced: %s", STR_FMT(directory),
			     strerror(errno));
	return OK;
}

enum err file_replace(struct task *task, struct str path, struct str text, unsigned mode)
{
	struct str new_path = STR_JOIN(&task->arena, path, STR(".new"));
	CLEANUP(close_fd) int fd = -1;

	unlink(new_path.at); /* what a crash may have left */
	fd = open(new_path.at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode) != 0 || file_write_all(fd, text) != OK || fsync(fd) != 0)
		return failf(task, ERR_IO, "%.*s: cannot be written: %s", STR_FMT(new_path),
			     strerror(errno));
	if (rename(new_path.at, str_to_c(&task->arena, path)) != 0)
		return failf(task, ERR_IO, "%.*s: cannot be written: %s", STR_FMT(path),
			     strerror(errno));
	return file_sync_folder(task, path);
}

enum err file_remove(struct task *task, struct str path)
{
	if (unlink(str_to_c(&task->arena, path)) != 0)
		return failf(task, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%.*s: %s",
			     STR_FMT(path), strerror(errno));
	return file_sync_folder(task, path);
}

bool file_exists(struct task *task, struct str path)
{
	struct stat status;

	return stat(str_to_c(&task->arena, path), &status) == 0;
}
