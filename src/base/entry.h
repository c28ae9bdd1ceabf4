/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a folder, for who must not take a disk that fails for the folder's end. */
#pragma once

#include <dirent.h>
#include <errno.h>

/* NULL: at the end, where errno is 0, or where it cannot be read to its end. */
static inline struct dirent *entry_next(DIR *folder)
{
	errno = 0;
	return readdir(folder);
}
