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

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static uint64_t load(const char *at, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)(unsigned char)at[i] << (8 * i);
	return word;
}

/* SipHash-1-3: keys come from outsiders, who must not be able to aim for one bucket. */
static uint64_t hash_of(const struct map *map, struct str key)
{
	uint64_t k0 = map->seed, k1 = map->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	uint64_t v[4] = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
			  k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };

	for (size_t i = 0; i <= key.len; i += 8) {
		size_t len = key.len - i < 8 ? key.len - i : 8;
		uint64_t word = len == 0 ? 0 : load(key.at + i, len);

		if (len < 8)
			word |= (uint64_t)key.len << 56;
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xFF;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
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
