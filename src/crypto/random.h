/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness, from the kernel by libsodium; the only file that asks for it. Failure ends the
 * process.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

#define ID_BYTES      16
#define ID_RANDOM_LEN 26 /* characters of base32 after the prefix: 128 bits */

void random_bytes(void *at, size_t len);
uint64_t random_u64(void);
/*
 * The random bytes of ids are drawn sixteen ids at a time for each thread, wiped as they are handed
 * out, and forgotten in a forked child.
 *
 * prefix + 26 characters of lower-case base32: "gra_" -> "gra_k3…". The characters are RFC 4648's,
 * but their values follow the order of ASCII (2..7 before a..z), so that ids sort as the bits they
 * spell.
 */
struct str random_id(struct arena *arena, const char *prefix);
/*
 * As random_id, but the first 48 bits are the time, so that new ids sort behind old ones: for rows
 * that come by the thousand, each of which would else change a page of its own. Not for names that
 * nobody must guess.
 */
struct str random_id_at(struct arena *arena, const char *prefix, int64_t wall_ms);
/* As random_id, of the first bytes of a digest: an id that follows from what was digested. */
struct str id_of_digest(struct arena *arena, const char *prefix, const uint8_t digest[ID_BYTES]);
/*
 * True for prefix + 26 base32 characters: what an id from outside must look like before it meets
 * the store.
 */
bool id_is_valid(struct str id, const char *prefix);
