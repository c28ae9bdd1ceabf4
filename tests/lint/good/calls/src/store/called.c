/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"

#include <fcntl.h>
#include <string.h>

static int each(int (*visit)(const char *), then_fn *then)
{
	return visit("a") + then(0) + (int)strlen("malloc_trim(0)");
}

/* fopen(path) in words only */
int keep(const char *path, const struct driver *driver)
{
	return open(path, O_RDONLY) + each(driver->visit, 0) + driver->popen(path);
}
