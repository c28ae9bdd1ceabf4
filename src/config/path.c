/* SPDX-License-Identifier: Apache-2.0 */
#include "config/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/task.h"

struct str path_folder(struct str path)
{
	size_t end = path.len;

	while (end > 0 && path.at[end - 1] != '/')
		end--;
	return str_sub(path, 0, end > 1 ? end - 1 : end);
}

static struct str without_links(struct task *task, struct str path)
{
	char real[PATH_MAX];

	if (realpath(str_to_c(&task->arena, path), real) == NULL)
		return STR_NONE;
	return str_copy(&task->arena, str_from_c(real));
}

struct str path_real(struct task *task, struct str path)
{
	struct str real, folder, last;

	while (path.len > 1 && str_ends_with(path, STR("/")))
		path.len--;
	real = without_links(task, path);
	if (real.at != NULL || errno != ENOENT)
		return real;
	folder = path_folder(path);
	last = str_from(path, folder.len > 1 ? folder.len + 1 : folder.len);
	folder = without_links(task, folder);
	if (folder.at == NULL || str_equals(last, STR("..")) || str_equals(last, STR(".")))
		return STR_NONE;
	return STR_JOIN(&task->arena, folder, str_equals(folder, STR("/")) ? STR("") : STR("/"),
			last);
}

bool path_is_within(struct str path, struct str folder)
{
	return str_starts_with(path, folder) &&
	       (path.len == folder.len || path.at[folder.len] == '/' ||
		str_equals(folder, STR("/")));
}
