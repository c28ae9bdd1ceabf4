/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/proc_status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/entry.h"
#include "base/task.h"

#define TEXT_MAX 8192

static void close_folder(DIR **folder)
{
	if (*folder != NULL)
		closedir(*folder);
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Files of /proc have no size, so they are read and not measured. */
static enum err read_text(struct task *task, struct str path, struct str *ret_text)
{
	CLEANUP(close_fd) int fd = open(path.at, O_RDONLY | O_CLOEXEC);
	char *at = arena_alloc(&task->arena, TEXT_MAX);
	size_t len = 0;
	ssize_t got = 1;

	if (fd < 0)
		return fail(task, ERR_NOT_FOUND, "/proc does not show it");
	while (len < TEXT_MAX && got > 0) {
		got = read(fd, at + len, TEXT_MAX - len);
		len += got > 0 ? (size_t)got : 0;
	}
	/* it has ended since it was opened */
	if (got < 0)
		return fail(task, ERR_NOT_FOUND, "/proc does not show it");
	*ret_text = (struct str){ at, len };
	return OK;
}

/* What stands behind "NAME:" at the begin of a line; STR_NONE when there is no such line. */
static struct str value_of(struct str text, struct str name)
{
	struct str line;

	while (str_next(&text, '\n', &line))
		if (str_starts_with(line, name))
			return str_trim(str_from(line, name.len));
	return STR_NONE;
}

static bool has_value(struct str text, struct str name, struct str value)
{
	return str_equals(value_of(text, name), value);
}

/* Each thread has walls of its own. */
static enum err read_threads(struct task *task, pid_t pid, struct proc_status *status)
{
	struct str folder = str_printf(&task->arena, "/proc/%d/task", (int)pid);
	CLEANUP(close_folder) DIR *threads = opendir(folder.at);
	const struct dirent *entry;
	uint64_t filters;
	struct str text;

	if (threads == NULL)
		return fail(task, ERR_NOT_FOUND, "/proc does not show it");
	while ((entry = entry_next(threads)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		/* one that has ended meanwhile */
		if (read_text(task,
			      STR_JOIN(&task->arena, folder, STR("/"), str_from_c(entry->d_name),
				       STR("/status")),
			      &text) != OK)
			continue;
		status->threads++;
		if (!has_value(text, STR("NoNewPrivs:"), STR("1")))
			status->has_no_new_privs = false;
		if (!has_value(text, STR("Seccomp:"), STR("2")))
			status->is_filtered = false;
		if (!str_to_u64(value_of(text, STR("Seccomp_filters:")), UINT32_MAX, &filters))
			filters = 0;
		if (filters < status->filters)
			status->filters = filters;
	}
	if (errno != 0)
		return fail(task, ERR_IO, "/proc does not show all its threads");
	task_forgive(task);
	return OK;
}

/* "Max core file size        0                    0                    bytes" */
static bool has_core_limit(struct str limits)
{
	struct str line = value_of(limits, STR("Max core file size"));

	return str_equals(line, STR("0")) || str_starts_with(line, STR("0 "));
}

enum err proc_status_read(struct task *task, pid_t pid, struct proc_status *ret_status)
{
	struct proc_status status = { .has_no_new_privs = true,
				      .is_filtered = true,
				      .filters = UINT64_MAX };
	struct str limits;
	struct stat owner;

	TRY(read_text(task, str_printf(&task->arena, "/proc/%d/limits", (int)pid), &limits));
	TRY(read_threads(task, pid, &status));
	status.leaves_core = !has_core_limit(limits);
	/* files of who cannot be dumped are root's */
	status.is_dumpable = stat(str_printf(&task->arena, "/proc/%d/mem", (int)pid).at, &owner) !=
				     0 ||
			     owner.st_uid != 0;
	*ret_status = status;
	return OK;
}
