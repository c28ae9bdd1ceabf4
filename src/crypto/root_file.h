/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file with the root keys: reading it strictly, creating it whole or not at all. Private to
 * crypto.
 */
#pragma once

#include "crypto/holder_private.h"

/*
 * Numbers and bytes into roots[ROOTS_MAX] in order of their numbers. ERR_CONFIG says what the
 * operator can do.
 */
MUST_CHECK enum err root_file_read(struct task *task, struct str path, struct root *roots,
				   size_t *ret_count);

/* --- its parts, for who changes the file --- */

#define ROOT_FILE_MAX 4096

/* The text of a file that is as it must be. ERR_CONFIG as above; the caller wipes. */
MUST_CHECK enum err root_file_read_text(struct task *task, struct str path,
					char text[ROOT_FILE_MAX], size_t *ret_len);
MUST_CHECK enum err root_file_parse(struct task *task, struct str path, struct str text,
				    struct root *roots, size_t *ret_count);
/* All of it, and on the disk. */
bool root_file_write(int fd, struct str text);
/* The folder of a file; -1 and errno. */
int root_file_open_folder(struct task *task, struct str path);
bool root_file_sync_folder(struct task *task, struct str path);
/* Takes away what an `add` or a `retire` that was killed has left beside the file. */
void root_file_tidy(struct task *task, struct str path);
/* For CLEANUP. */
void root_file_close(int *fd);
