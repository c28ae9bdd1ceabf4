/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, for whoever asks: grantd itself and every library that it loads. */
#include "inject.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* glibc's own, by the names that it keeps for those who stand before it */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void *refuse(void)
{
	errno = ENOMEM;
	return NULL;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
	return INJECT(INJECT_MALLOC, "malloc") ? refuse() : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
	return INJECT(INJECT_MALLOC, "calloc") ? refuse() : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *at, size_t size)
{
	/* to nothing is to free, which does not fail */
	if (size > 0 && INJECT(INJECT_MALLOC, "realloc"))
		return refuse();
	return __libc_realloc(at, size);
}

__attribute__((visibility("default"))) int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *at;

	if (INJECT(INJECT_MALLOC, "posix_memalign"))
		return ENOMEM;
	at = __libc_memalign(alignment, size);
	if (at == NULL)
		return ENOMEM;
	*ret = at;
	return 0;
}
