/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/openssl_memory.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/memory.h"

static void *alloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_alloc(size);
}

static void *resize(void *at, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_resize(at, size);
}

static void memory_free(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	free(at);
}

void openssl_memory_start(void)
{
	/* refused once OpenSSL has memory: then it was called too late, and half would be free's */
	if (CRYPTO_set_mem_functions(alloc, resize, memory_free) != 1)
		abort();
}
