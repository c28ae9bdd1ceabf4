/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdlib.h>

void *memory_alloc(size_t size)
{
	void *at = malloc(size);

	if (at == NULL && size > 0)
		abort();
	return at;
}

void *memory_resize(void *at, size_t size)
{
	if (size == 0) {
		free(at);
		return NULL;
	}
	at = realloc(at, size);
	if (at == NULL)
		abort();
	return at;
}
