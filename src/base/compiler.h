/* SPDX-License-Identifier: Apache-2.0 */
/* What we ask of the compiler, spelled once. */
#pragma once

#define MUST_CHECK	__attribute__((warn_unused_result))
#define PRINTF(fmt, at) __attribute__((format(printf, fmt, at)))

/* `CLEANUP(buf_free) struct buf *b` runs buf_free(&b) when the variable leaves its scope. */
#define CLEANUP(f) __attribute__((cleanup(f), unused))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* A variable that the compiler need not set to zero (-ftrivial-auto-var-init): written first. */
#define NOT_CLEARED __attribute__((uninitialized))
