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
	INJECT_SEND,
	INJECT_SYSTEM
};

#define INJECT_FRAMES 6

/* True if the call to `name`, which returns to `caller`, shall fail now. Never allocates. */
bool inject_here(enum inject_kind kind, const char *name, const void *caller);
#define INJECT(kind, name) inject_here(kind, name, __builtin_return_address(0))
/* The function of that name in the library behind this one. */
void *inject_real(const char *name);

/* A function of that name in front of the library's: a refusal, or what the library answers. */
#define WATCH(kind, result, name, parameters, arguments, refusal)                                  \
	__attribute__((visibility("default"))) result name parameters                              \
	{                                                                                          \
		static __typeof__(name) *real;                                                     \
		if (real == NULL)                                                                  \
			real = (__typeof__(name) *)inject_real(#name);                             \
		return INJECT(kind, #name) ? (refusal) : real arguments;                           \
	}
