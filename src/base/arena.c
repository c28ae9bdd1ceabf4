/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST 4096
#define BLOCK_MAX   (256 * 1024)
#define ALIGN	    alignof(max_align_t)

struct arena_block {
	struct arena_block *older;
	size_t size;
	alignas(max_align_t) char bytes[];
};

static size_t next_size(const struct arena *arena, size_t need)
{
	size_t size = arena->block == NULL ? BLOCK_FIRST : arena->block->size * 2;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	return size < need ? need : size;
}

static void add_block(struct arena *arena, size_t need)
{
	size_t size = next_size(arena, need);
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (block == NULL)
		abort();
	block->older = arena->block;
	block->size = size;
	arena->block = block;
	arena->at = block->bytes;
	arena->end = block->bytes + size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t need = (size + ALIGN - 1) & ~(ALIGN - 1);
	void *at;

	if (need < size || need > SIZE_MAX / 2)
		abort();
	if (arena->block == NULL || need > (size_t)(arena->end - arena->at))
		add_block(arena, need);
	at = arena->at;
	arena->at += need;
	return at;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		abort();
	return arena_alloc(arena, bytes);
}

void arena_free(struct arena *arena)
{
	while (arena->block != NULL) {
		struct arena_block *block = arena->block;

		arena->block = block->older;
		explicit_bzero(block->bytes, block->size);
		free(block);
	}
	arena->at = arena->end = NULL;
}
