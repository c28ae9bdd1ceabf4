/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

bool library_load(const char *file, const struct library_symbol *symbols, size_t count, void *table)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		void *found = dlsym(library, symbols[i].name);

		if (found == NULL)
			return false;
		/*
		 * POSIX: what dlsym answers may be taken for a function; ISO C has no cast for it
		 */
		memcpy((char *)table + symbols[i].at, &found, sizeof(found));
	}
	return true;
}
