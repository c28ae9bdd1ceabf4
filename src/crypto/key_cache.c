/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/public_key.h"

#define SHARDS 16
#define SETS   16
#define WAYS   4

struct entry {
	uint8_t digest[SHA256_LEN];
	struct public_key *key; /* NULL: free */
	uint64_t used;
};

struct shard {
	pthread_mutex_t mutex;
	uint64_t uses;
	struct entry sets[SETS][WAYS];
};

struct key_cache {
	struct shard shards[SHARDS];
};

struct key_cache *key_cache_new(void)
{
	struct key_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		abort();
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&cache->shards[i].mutex, NULL);
	return cache;
}

static void shard_clear(struct shard *shard)
{
	for (size_t i = 0; i < SETS; i++)
		for (size_t j = 0; j < WAYS; j++)
			public_key_free(&shard->sets[i][j].key);
	pthread_mutex_destroy(&shard->mutex);
}

void key_cache_free(struct key_cache **cache)
{
	if (*cache == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		shard_clear(&(*cache)->shards[i]);
	free(*cache);
	*cache = NULL;
}

static struct shard *shard_of(struct key_cache *cache, const uint8_t digest[SHA256_LEN])
{
	return &cache->shards[digest[0] % SHARDS];
}

static struct entry *find_locked(struct shard *shard, const uint8_t digest[SHA256_LEN])
{
	struct entry *set = shard->sets[digest[1] % SETS];
	struct str wanted = { (const char *)digest, SHA256_LEN };

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key != NULL &&
		    secret_equals((struct str){ (const char *)set[i].digest, SHA256_LEN }, wanted))
			return &set[i];
	return NULL;
}

struct public_key *key_cache_find(struct key_cache *cache, const uint8_t digest[SHA256_LEN])
{
	struct shard *shard = shard_of(cache, digest);
	struct public_key *key = NULL;
	struct entry *entry;

	pthread_mutex_lock(&shard->mutex);
	entry = find_locked(shard, digest);
	if (entry != NULL) {
		entry->used = ++shard->uses;
		key = public_key_hold(entry->key);
	}
	pthread_mutex_unlock(&shard->mutex);
	return key;
}

void key_cache_add(struct key_cache *cache, const uint8_t digest[SHA256_LEN],
		   struct public_key *key)
{
	struct shard *shard = shard_of(cache, digest);
	struct entry *set = shard->sets[digest[1] % SETS], *oldest = &set[0];
	struct public_key *former = NULL;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 1; i < WAYS; i++)
		if (set[i].used < oldest->used)
			oldest = &set[i];
	if (find_locked(shard, digest) == NULL) {
		former = oldest->key;
		memcpy(oldest->digest, digest, SHA256_LEN);
		oldest->key = public_key_hold(key);
		oldest->used = ++shard->uses;
	}
	pthread_mutex_unlock(&shard->mutex);
	public_key_free(&former);
}
