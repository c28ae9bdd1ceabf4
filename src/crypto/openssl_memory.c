/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool wipes;

static void *alloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_alloc(size);
}

/* Wiped where that was asked for. */
static void wipe_and_free(void *at)
{
	if (wipes && at != NULL)
		explicit_bzero(at, malloc_usable_size(at));
	free(at);
}

/* realloc leaves behind, unwiped, what it moved away from. */
static void *move(void *at, size_t size)
{
	size_t kept = malloc_usable_size(at);
	void *moved = size == 0 ? NULL : memory_alloc(size);

	if (moved != NULL && at != NULL)
		memcpy(moved, at, kept < size ? kept : size);
	wipe_and_free(at);
	return moved;
}

static void *resize(void *at, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wipes ? move(at, size) : memory_resize(at, size);
}

static void memory_free(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	wipe_and_free(at);
}

void openssl_memory_start(void)
{
	/* refused once OpenSSL has memory: then it was called too late, and half would be free's */
	if (CRYPTO_set_mem_functions(alloc, resize, memory_free) != 1)
		abort();
}

void openssl_memory_wipe(void)
{
	wipes = true;
}

void openssl_start_bare(void)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
					OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
					OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
				NULL) != 1)
		abort();
}
