/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An installation, and children that shut themselves in before it as grantd does, each to try one
 * thing. Where a sanitizer is built in there is no filter of system calls.
 */
#pragma once

#include "check.h"
#include "config/config.h"
#include "grantd/sandbox.h"

extern struct walls {
	struct check_clock clock;
	struct task task;
	struct config config;
	char folder[64];		/* DIR */
	const char *const *environment; /* where libpq finds names of files */
} walls;

int walls_begin(void **state);
int walls_end(void **state);
struct str in_dir(const char *name);

enum { WALL_OF_FILES = 1, WALL_OF_CALLS = 2 };

/* As a start does it, without children. */
MUST_CHECK enum err shut_calls(struct sandbox *sandbox);
/* How a child ends that shuts itself in and does this: what act answers (an errno), or -signal. */
int does(unsigned which, int (*act)(void));
/* open(2): 0, or an errno. */
int opening(const char *path, int flags);
int start_program(void);

#define CASE(name) cmocka_unit_test_setup_teardown(name, walls_begin, walls_end)
