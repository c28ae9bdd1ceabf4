/* SPDX-License-Identifier: Apache-2.0 */
#include "script.h"

#include "base/buf.h"
#include "config/file.h"

#define TEXT_MAX 4096

struct str script_write(struct task *task, struct str dir, const char *name, const char *text)
{
	struct str path = file_path(task, dir, str_from_c(name));
	struct buf buf = buf_in(&task->arena, TEXT_MAX);
	struct str rest = str_from_c(text), whole;

	buf_add_c(&buf, "#!/bin/sh\n");
	while (rest.len > 0) {
		size_t mark = str_find(rest, '%');

		buf_add(&buf, str_sub(rest, 0, mark));
		rest = str_from(rest, mark);
		if (!str_starts_with(rest, STR("%s"))) {
			buf_add(&buf, str_sub(rest, 0, 1));
			rest = str_from(rest, 1);
			continue;
		}
		buf_add(&buf, dir);
		rest = str_from(rest, 2);
	}
	CHECK_ERR(buf_finish(&buf, &whole), OK);
	CHECK_ERR(file_replace(task, path, whole, 0700), OK);
	return path;
}

struct str script_left(struct task *task, struct str dir, const char *name)
{
	struct str text = STR("");

	if (file_read(task, file_path(task, dir, str_from_c(name)), TEXT_MAX, &text) != OK)
		task_forgive(task);
	return text;
}
