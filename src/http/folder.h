/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a folder, read once at start: templates, locales, static files. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct arena;

#define FOLDER_FILES_MAX 128

struct folder_file {
	struct str name; /* without the ending */
	struct str text;
};

/*
 * Every file of dir whose name is a-z, 0-9, '_', '-' and ends with `ending` (".html"; "" takes all and keeps
 * whole names), by name, in arena memory. ERR_CONFIG says what cannot be read, or is larger than max.
 */
MUST_CHECK enum err folder_read(struct task *task, struct arena *arena, struct str dir,
				struct str ending, size_t max, struct folder_file **ret_files,
				size_t *ret_count);
