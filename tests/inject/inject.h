/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One failure at one place of a real daemon: a library that is loaded before all others
 * (LD_PRELOAD) and stands between grantd and what can fail. A place is a function and the calls
 * that led to it. Places that were passed are written to a file that the test maps too; the test
 * writes there which one shall fail, and it does, once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum inject_kind {
	INJECT_MALLOC,
	INJECT_SQLITE,
	INJECT_LIBPQ,
	INJECT_OPENSSL,
	INJECT_SODIUM,
	INJECT_SEND
};

#define INJECT_FRAMES 6

/* True if the call to `name` shall fail now. Never allocates. */
bool inject_here(enum inject_kind kind, const char *name);
/* The function of that name in the library behind this one. */
void *inject_real(const char *name);
