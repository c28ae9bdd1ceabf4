/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the installation: read whole with a ceiling, private ones only with a private mode, and
 * replaced so that a crash leaves either the old file or the new one. Not for the database or the
 * root key.
 */
#pragma once

#include <fcntl.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct task;

/* a fifo or device must not hold us up */
#define FILE_READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* What opens files to be read in place of open(2): a sandbox, or who notes what is read. */
struct file_opener {
	int (*open)(void *context, const char *path, int flags); /* -1: errno says why */
	void *context;
};

/* For the whole process, before it has threads. open NULL: open(2) again. */
void file_open_by(const struct file_opener *by);

/* A file, or a folder to be listed; as open(2) answers. */
int file_open(const char *path);
/* A path inside dir; an absolute path stays as it is. */
struct str file_path(struct task *task, struct str dir, struct str path);
/* Text in task memory. ERR_NOT_FOUND; ERR_CONFIG: unreadable, not a plain file, larger than max. */
MUST_CHECK enum err file_read(struct task *task, struct str path, size_t max, struct str *ret_text);
/*
 * One line that only its owner may read (mode 0600 or 0400, owned by us or root), without its
 * newline. ERR_CONFIG says what to do, also when it is missing.
 */
MUST_CHECK enum err file_read_secret(struct task *task, struct str path, struct secret *ret_secret);
/* ERR_CONFIG unless the file is readable, ours or root's, and closed to group and others. */
MUST_CHECK enum err file_check_private(struct task *task, struct str path);
/* ERR_IO: errno says why. */
MUST_CHECK enum err file_write_all(int fd, struct str text);
/* Writes beside the target, fsyncs, renames over it, fsyncs the directory. ERR_IO with the reason.
 */
MUST_CHECK enum err file_replace(struct task *task, struct str path, struct str text,
				 unsigned mode);
/* Removes the file and makes that last. ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err file_remove(struct task *task, struct str path);
/* Of the file's folder: a rename or removal lasts only once the folder itself is on disk. */
MUST_CHECK enum err file_sync_folder(struct task *task, struct str path);
bool file_exists(struct task *task, struct str path);
