/* SPDX-License-Identifier: Apache-2.0 */
#include "http/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/entry.h"
#include "base/task.h"

struct folder {
	struct task *task;
	struct arena *arena;
	struct str dir;
	int fd;
	size_t max;
};

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void dir_close(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
}

static enum err unreadable(const struct folder *folder, struct str name, const char *why)
{
	return failf(folder->task, ERR_CONFIG, "%.*s/%.*s: %s", STR_FMT(folder->dir), STR_FMT(name),
		     why);
}

static enum err read_all(const struct folder *folder, struct str name, int fd, struct str *ret_text)
{
	struct stat stat = { 0 };
	size_t len = 0, room;
	char *text;

	if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode))
		return unreadable(folder, name, "not a file");
	if (stat.st_size > (off_t)folder->max)
		return unreadable(folder, name, "the file is too large");
	room = (size_t)stat.st_size + 1;
	text = arena_alloc(folder->arena, room);
	for (;;) {
		ssize_t got = read(fd, text + len, room - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return unreadable(folder, name, strerrordesc_np(errno));
		if (got == 0)
			break;
		len += (size_t)got;
		if (len == room)
			return unreadable(folder, name, "the file grows while it is read");
	}
	*ret_text = (struct str){ text, len };
	return OK;
}

static enum err read_file(const struct folder *folder, struct str name, struct str *ret_text)
{
	CLEANUP(fd_close) int fd = -1;
	struct str text;

	fd = openat(folder->fd, str_to_c(&folder->task->arena, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return unreadable(folder, name, strerrordesc_np(errno));
	TRY(read_all(folder, name, fd, &text));
	*ret_text = text;
	return OK;
}

static bool is_wanted(struct str name, struct str ending)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";

	return name.len > ending.len && name.at[0] != '.' && str_only(name, allowed) &&
	       str_ends_with(name, ending);
}

static int by_name(const void *a, const void *b)
{
	return str_compare(((const struct folder_file *)a)->name,
			   ((const struct folder_file *)b)->name);
}

static enum err list(const struct folder *folder, DIR *dir, struct str ending,
		     struct folder_file *files, size_t *ret_count)
{
	struct dirent *entry;
	size_t count = 0;

	while ((entry = entry_next(dir)) != NULL) {
		struct str name = str_copy(folder->arena, str_from_c(entry->d_name));

		if (!is_wanted(name, ending))
			continue;
		if (count == FOLDER_FILES_MAX)
			return unreadable(folder, name, "too many files in this folder");
		TRY(read_file(folder, name, &files[count].text));
		files[count++].name = str_sub(name, 0, name.len - ending.len);
	}
	if (errno != 0)
		return failf(folder->task, ERR_CONFIG, "%.*s: %s", STR_FMT(folder->dir),
			     strerrordesc_np(errno));
	qsort(files, count, sizeof(*files), by_name);
	*ret_count = count;
	return OK;
}

enum err folder_read(struct task *task, struct arena *arena, const struct folder_wish *wish,
		     struct folder_file **ret_files, size_t *ret_count)
{
	struct folder folder = { .task = task, .arena = arena, .dir = wish->dir, .max = wish->max };
	struct folder_file *files = NEW_ARRAY(arena, struct folder_file, FOLDER_FILES_MAX);
	CLEANUP(dir_close) DIR *handle = opendir(str_to_c(&task->arena, wish->dir));

	if (handle == NULL)
		return failf(task, ERR_CONFIG, "%.*s: %s", STR_FMT(wish->dir),
			     strerrordesc_np(errno));
	folder.fd = dirfd(handle);
	TRY(list(&folder, handle, wish->ending, files, ret_count));
	*ret_files = files;
	return OK;
}
