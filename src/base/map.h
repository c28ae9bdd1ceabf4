/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from bytes to pointers, with a seed of its own (so that outsiders cannot aim for one
 * bucket). Keys are borrowed: they must live as long as their entry. Not locked.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map;

/* The seed comes from crypto/random in the daemon; any number does where keys are our own. */
struct map *map_new(uint64_t seed);
void map_free(struct map **map);
/* The value, or NULL. */
void *map_get(const struct map *map, struct str key);
/*
 * Sets or replaces, borrowing this key from now on; value is not NULL. Answers the replaced value,
 * or NULL.
 */
void *map_set(struct map *map, struct str key, void *value);
/* Takes the entry out; answers its value, or NULL. */
void *map_remove(struct map *map, struct str key);
size_t map_count(const struct map *map);
/*
 * Walks: *position starts at 0; answers the next value, or NULL at the end. No changes meanwhile.
 */
void *map_next(const struct map *map, size_t *position);
