/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

#define SLOTS_FIRST 16

/* Open addressing with linear probing; deletion shifts the run back, so there are no tombstones. */
struct slot {
	struct str key;
	uint64_t hash;
	void *value;
};

struct map {
	struct slot *slots;
	size_t size; /* a power of two */
	size_t count;
	uint64_t seed;
};

static struct slot *new_slots(size_t size)
{
	struct slot *slots = calloc(size, sizeof(*slots));

	if (slots == NULL)
		abort();
	return slots;
}

struct map *map_new(uint64_t seed)
{
	struct map *map = calloc(1, sizeof(*map));

	if (map == NULL)
		abort();
	map->slots = new_slots(SLOTS_FIRST);
	map->size = SLOTS_FIRST;
	map->seed = seed;
	return map;
}

void map_free(struct map **map)
{
	if (*map == NULL)
		return;
	free((*map)->slots);
	free(*map);
	*map = NULL;
}

/* FNV-1a over the key, started from the seed and mixed at the end (splitmix64's finisher). */
static uint64_t hash_of(const struct map *map, struct str key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ map->seed;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.at[i]) * UINT64_C(0x100000001b3);
	hash = (hash ^ (hash >> 30) ^ map->seed) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
	return hash ^ (hash >> 31);
}

static size_t find(const struct map *map, struct str key, uint64_t hash)
{
	size_t at = (size_t)hash & (map->size - 1);

	while (map->slots[at].value != NULL &&
	       (map->slots[at].hash != hash || !str_equals(map->slots[at].key, key)))
		at = (at + 1) & (map->size - 1);
	return at;
}

static void grow(struct map *map)
{
	struct slot *old = map->slots;
	size_t old_size = map->size;

	map->size *= 2;
	map->slots = new_slots(map->size);
	for (size_t i = 0; i < old_size; i++)
		if (old[i].value != NULL)
			map->slots[find(map, old[i].key, old[i].hash)] = old[i];
	free(old);
}

void *map_get(const struct map *map, struct str key)
{
	return map->slots[find(map, key, hash_of(map, key))].value;
}

void *map_set(struct map *map, struct str key, void *value)
{
	uint64_t hash = hash_of(map, key);
	size_t at = find(map, key, hash);
	void *replaced = map->slots[at].value;

	map->slots[at] = (struct slot){ key, hash, value };
	if (replaced == NULL && ++map->count * 4 > map->size * 3)
		grow(map);
	return replaced;
}

void *map_remove(struct map *map, struct str key)
{
	size_t mask = map->size - 1;
	size_t hole = find(map, key, hash_of(map, key));
	void *value = map->slots[hole].value;

	if (value == NULL)
		return NULL;
	for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL; at = (at + 1) & mask) {
		size_t wanted = (size_t)map->slots[at].hash & mask;

		if (((at - wanted) & mask) >= ((at - hole) & mask)) {
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole] = (struct slot){ 0 };
	map->count--;
	return value;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

void *map_next(const struct map *map, size_t *position)
{
	while (*position < map->size) {
		void *value = map->slots[(*position)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}
