/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST (16 * 1024) /* what a usual request needs */
#define BLOCK_MAX   (256 * 1024)
#define ALIGN	    alignof(max_align_t)

struct arena_block {
	struct arena_block *older;
	size_t size;
	char *older_at; /* how far the older one was used */
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
	struct arena_block *block = malloc(sizeof(*block) + size);

	if (block == NULL)
		abort();
	block->older = arena->block;
	block->older_at = arena->at;
	block->size = size;
	arena->block = block;
	arena->at = block->bytes;
	arena->end = block->bytes + size;
}

static size_t aligned(size_t size)
{
	return (size + ALIGN - 1) & ~(ALIGN - 1);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t need = aligned(size);
	void *at;

	if (need < size || need > SIZE_MAX / 2)
		abort();
	if (arena->block == NULL || need > (size_t)(arena->end - arena->at))
		add_block(arena, need);
	at = arena->at;
	arena->at += need;
	return memset(at, 0, need);
}

bool arena_extend(struct arena *arena, const void *at, size_t size, size_t more)
{
	size_t has = aligned(size), need = aligned(size + more) - has;

	if ((const char *)at + has != arena->at || more > SIZE_MAX / 4 ||
	    need > (size_t)(arena->end - arena->at))
		return false;
	memset(arena->at, 0, need);
	arena->at += need;
	return true;
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

		explicit_bzero(block->bytes, (size_t)(arena->at - block->bytes));
		arena->block = block->older;
		arena->at = block->older_at;
		free(block);
	}
	arena->at = arena->end = NULL;
}
