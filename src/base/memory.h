/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for libraries that would go on without it and answer something wrong: a signature that
 * could not be checked is not a wrong one. As with an arena (base/arena.h), none left ends the
 * process and its supervisor restarts it. Given back with free.
 */
#pragma once

#include <stddef.h>

void *memory_alloc(size_t size);
/* As realloc: from NULL it allocates, to nothing it gives back. */
void *memory_resize(void *at, size_t size);
