/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory by lifetime: everything a task needs comes from its arena and goes with it. Allocation is
 * never NULL: out of memory ends the process (its supervisor starts it again), so each size that
 * comes from outside is bounded before it meets an arena. Freed memory is wiped, for passwords and
 * tokens pass here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *block; /* the newest; older ones hang behind it */
	char *at;
	char *end;
};

/* size zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/*
 * Makes what was allocated last `more` bytes longer where it lies, zeroed; `size` is what it has.
 * False: it is not the last, or there is no room behind it.
 */
bool arena_extend(struct arena *arena, const void *at, size_t size, size_t more);
/* As arena_alloc, for count things; ends the process when the product overflows. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
	__attribute__((malloc, returns_nonnull));
/* Wipes and gives back everything; the arena is empty and can be used again. */
void arena_free(struct arena *arena);

#define NEW(arena, type)	      ((type *)arena_alloc((arena), sizeof(type)))
#define NEW_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))
