/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walls around the process that faces the network, in two steps: files (Landlock), before it
 * has threads; system calls (seccomp), when all doors are bound and nobody is served yet. A kernel
 * that lacks one of them is told to the operator, and the other holds. What it may open is put
 * together here from the configuration; what goes beyond is the errands process's to do.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"

struct network_filter;
struct task;

struct sandbox {
	bool is_wanted;	  /* the setting */
	int landlock;	  /* version of Landlock in force; 0: none */
	bool is_filtered; /* system calls */
	bool hides_root;  /* the root key's file is in no folder that may be read */
	bool hides_memory;
	struct str backup_dir;	      /* without links, as it may be written; STR_NONE: no walls */
	struct network_filter *calls; /* to be shut; NULL: none */
};

/*
 * No core, no debugger, and the files. environment ("NAME=value", NULL-terminated) is where libpq
 * finds names of files. Slices are task memory. ERR_INTERNAL when the kernel should be able to and
 * is not.
 */
MUST_CHECK enum err sandbox_shut_files(struct task *task, const struct config *config,
				       const char *const *environment, struct sandbox *ret_sandbox);
/* Begins to list the system calls, of which some name children; told again, anew. */
void sandbox_list_calls(struct task *task, const pid_t *children, size_t count,
			struct sandbox *sandbox);
/*
 * All others, and then a look into /proc at whether all that was asked for holds, for each thread.
 * ERR_INTERNAL when it does not.
 */
MUST_CHECK enum err sandbox_shut_calls(struct task *task, struct sandbox *sandbox);
/* What is in force stays. */
void sandbox_free(struct sandbox *sandbox);
