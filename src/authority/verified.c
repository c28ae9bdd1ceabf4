/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/verified.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"

#define SHARDS 16
#define SETS   64
#define WAYS   4
#define LIFE   SECOND_MS

struct entry {
	uint8_t digest[SHA256_LEN];
	int64_t at;
};

struct shard {
	pthread_mutex_t mutex;
	struct entry sets[SETS][WAYS];
};

struct verified {
	struct shard shards[SHARDS];
};

struct verified *verified_new(void)
{
	struct verified *verified = calloc(1, sizeof(*verified));

	if (verified == NULL)
		abort();
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&verified->shards[i].mutex, NULL);
	return verified;
}

void verified_free(struct verified **verified)
{
	if (*verified == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&(*verified)->shards[i].mutex);
	free(*verified);
	*verified = NULL;
}

static bool is_of(const struct entry *entry, const uint8_t digest[SHA256_LEN])
{
	return secret_equals((struct str){ (const char *)entry->digest, SHA256_LEN },
			     (struct str){ (const char *)digest, SHA256_LEN });
}

bool verified_has(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now)
{
	struct shard *shard = &verified->shards[digest[0] % SHARDS];
	const struct entry *set = shard->sets[digest[1] % SETS];
	bool found = false;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < WAYS && !found; i++)
		found = set[i].at != 0 && now - set[i].at <= LIFE && is_of(&set[i], digest);
	pthread_mutex_unlock(&shard->mutex);
	return found;
}

void verified_add(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now)
{
	struct shard *shard = &verified->shards[digest[0] % SHARDS];
	struct entry *set = shard->sets[digest[1] % SETS];
	size_t oldest = 0;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 1; i < WAYS; i++)
		if (set[i].at < set[oldest].at)
			oldest = i;
	memcpy(set[oldest].digest, digest, SHA256_LEN);
	set[oldest].at = now;
	pthread_mutex_unlock(&shard->mutex);
}
