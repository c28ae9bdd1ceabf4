/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails while a folder is read: readdir(3) in front of the C library's. */
#pragma once

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>

/* How many more entries are given (of them . and ..); -1: all. */
static int entries_left = -1;

struct dirent *readdir(DIR *folder)
{
	static __typeof__(readdir) *real;

	if (real == NULL)
		real = (__typeof__(readdir) *)dlsym(RTLD_NEXT, "readdir64");
	if (entries_left == 0) {
		errno = EIO;
		return NULL;
	}
	if (entries_left > 0)
		entries_left--;
	return real(folder);
}
