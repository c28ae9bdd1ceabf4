/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock (landlock(7)): a process gives up all files and folders but those that it names, for
 * good and for every thread that it starts afterwards.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct task;

/* Of a folder: of everything below it. What is not named is refused. */
enum landlock_use {
	LANDLOCK_READ = 1 << 0,	   /* read files, list folders */
	LANDLOCK_LIST = 1 << 1,	   /* list folders only */
	LANDLOCK_WRITE = 1 << 2,   /* write files that exist */
	LANDLOCK_CHANGE = 1 << 3,  /* make and remove plain files */
	LANDLOCK_SOCKETS = 1 << 4, /* make sockets, remove files */
};

struct landlock_place {
	struct str path;
	unsigned use; /* of landlock_use */
};

/* The version of the kernel's Landlock; 0: it has none, or it is switched off. */
int landlock_version(void);
/*
 * For the calling thread. Places that do not exist are left out. Sets no_new_privs. ERR_CONFIG when
 * the kernel has no Landlock, ERR_INTERNAL when it refuses.
 */
MUST_CHECK enum err landlock_restrict(struct task *task, const struct landlock_place *places,
				      size_t count);
