/* SPDX-License-Identifier: Apache-2.0 */
#include "store/page_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SETS_BITS 8
#define SETS	  (1U << SETS_BITS)
#define WAYS	  8

struct way {
	struct page_key key;
	uint64_t used; /* the set's count when it was asked for last; 0: empty */
};

/* A page may lie in one of few places, so that finding one is short and threads seldom meet. */
struct set {
	pthread_mutex_t lock;
	uint64_t count;
	struct way ways[WAYS];
};

struct page_cache {
	struct set sets[SETS];
	char pages[SETS][WAYS][PAGE_LEN]; /* the kernel gives memory for those that are used */
};

struct page_cache *page_cache_new(void)
{
	struct page_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_init(&cache->sets[i].lock, NULL);
	return cache;
}

void page_cache_free(struct page_cache **freeing)
{
	struct page_cache *cache = *freeing;

	*freeing = NULL;
	if (cache == NULL)
		return;
	for (size_t i = 0; i < SETS; i++)
		pthread_mutex_destroy(&cache->sets[i].lock);
	free(cache);
}

/* Neighbours lie in different sets (the golden ratio's bits, Knuth 6.4). */
static size_t set_of(const struct page_key *key)
{
	uint64_t number = (uint64_t)key->offset / PAGE_LEN * 2 + key->is_log;

	return (size_t)(number * 0x9E3779B97F4A7C15U >> (64 - SETS_BITS));
}

static bool is_same(const struct page_key *a, const struct page_key *b)
{
	return a->offset == b->offset && a->generation == b->generation && a->moved == b->moved &&
	       a->is_log == b->is_log;
}

/* WAYS if it is not there. */
static size_t find(const struct set *set, const struct page_key *key)
{
	size_t at = 0;

	while (at < WAYS && (set->ways[at].used == 0 || !is_same(&set->ways[at].key, key)))
		at++;
	return at;
}

static size_t least_used(const struct set *set)
{
	size_t least = 0;

	for (size_t at = 1; at < WAYS; at++) {
		if (set->ways[at].used < set->ways[least].used)
			least = at;
	}
	return least;
}

bool page_cache_get(struct page_cache *cache, const struct page_key *key, void *ret_page)
{
	size_t number = set_of(key), at;
	struct set *set = &cache->sets[number];

	pthread_mutex_lock(&set->lock);
	at = find(set, key);
	if (at < WAYS) {
		set->ways[at].used = ++set->count;
		memcpy(ret_page, cache->pages[number][at], PAGE_LEN);
	}
	pthread_mutex_unlock(&set->lock);
	return at < WAYS;
}

void page_cache_put(struct page_cache *cache, const struct page_key *key, const void *page)
{
	size_t number = set_of(key), at;
	struct set *set = &cache->sets[number];

	pthread_mutex_lock(&set->lock);
	at = find(set, key);
	if (at == WAYS)
		at = least_used(set);
	set->ways[at] = (struct way){ .key = *key, .used = ++set->count };
	memcpy(cache->pages[number][at], page, PAGE_LEN);
	pthread_mutex_unlock(&set->lock);
}
