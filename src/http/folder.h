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

struct folder_wish {
	struct str dir;
	struct str ending; /* ".html"; "" takes all and keeps whole names */
	size_t max;	   /* bytes of one file */
};

/*
 * Every file whose name is a-z, 0-9, '_', '-', '.' and has the ending, by name, in arena memory.
 * ERR_CONFIG says what cannot be read, or is too large.
 */
MUST_CHECK enum err folder_read(struct task *task, struct arena *arena,
				const struct folder_wish *wish, struct folder_file **ret_files,
				size_t *ret_count);
