/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value that must not get out: keys, passwords, upstream tokens. Owned, wiped on free, without
 * any way to print it; compared only in constant time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct secret {
	uint8_t *at;
	size_t len;
};

/* A copy of bytes; an earlier value of *secret is wiped first. Out of memory ends the process. */
void secret_set(struct secret *secret, const void *bytes, size_t len);
/* Wipes and gives back; accepts an empty secret and leaves one. */
void secret_wipe(struct secret *secret);
/* The bytes for a callee that consumes them at once; never for storing or logging. */
struct str secret_reveal(const struct secret *secret);
/*
 * Constant in time for equal lengths; the length itself is not secret. An absent or empty secret
 * equals nothing, not even another one: what was never set opens no door.
 */
bool secret_equals(struct str a, struct str b);
