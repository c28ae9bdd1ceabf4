/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/verified.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/secret.h"

#define SHARDS	   16
#define SETS	   64
#define WAYS	   4
#define LIFE	   SECOND_MS
#define TEXT_MAX   512
#define TEXT_COUNT 11

struct entry {
	uint8_t digest[SHA256_LEN];
	int64_t at; /* 0: free */
	uint64_t round;
	struct token_claims claims;
	char text[TEXT_MAX]; /* what the claims point into */
};

struct shard {
	pthread_mutex_t mutex;
	struct entry sets[SETS][WAYS];
};

struct verified {
	_Atomic uint64_t round;
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

static void list_texts(struct token_claims *claims, struct str *texts[TEXT_COUNT])
{
	texts[0] = &claims->jti;
	texts[1] = &claims->client_id;
	texts[2] = &claims->sub;
	texts[3] = &claims->audience;
	texts[4] = &claims->grant_id;
	texts[5] = &claims->family_id;
	texts[6] = &claims->acr;
	texts[7] = &claims->scope;
	texts[8] = &claims->jkt;
	texts[9] = &claims->act;
	texts[10] = &claims->details;
}

static bool texts_fit(struct token_claims claims)
{
	struct str *texts[TEXT_COUNT];
	size_t len = 0;

	list_texts(&claims, texts);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		len += texts[i]->len;
	return len <= TEXT_MAX;
}

/* Copies every text of the claims to `at`, which has room for all, and lets them lie there. */
static void move_texts(struct token_claims *claims, char at[TEXT_MAX])
{
	struct str *texts[TEXT_COUNT];

	list_texts(claims, texts);
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (texts[i]->at == NULL)
			continue;
		if (texts[i]->len > 0)
			memcpy(at, texts[i]->at, texts[i]->len);
		texts[i]->at = at;
		at += texts[i]->len;
	}
}

static struct entry *set_of(struct shard *shard, const uint8_t digest[SHA256_LEN])
{
	return shard->sets[digest[1] % SETS];
}

static struct shard *shard_of(struct verified *verified, const uint8_t digest[SHA256_LEN])
{
	return &verified->shards[digest[0] % SHARDS];
}

bool verified_find(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now,
		   struct arena *arena, struct token_claims *ret_claims)
{
	struct shard *shard = shard_of(verified, digest);
	const struct entry *set = set_of(shard, digest);
	char *text = arena_alloc(arena, TEXT_MAX);
	uint64_t round = verified_round(verified);
	bool found = false;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < WAYS && !found; i++) {
		found = set[i].at != 0 && set[i].round == round && now - set[i].at <= LIFE &&
			is_of(&set[i], digest);
		if (found) {
			*ret_claims = set[i].claims;
			move_texts(ret_claims, text);
		}
	}
	pthread_mutex_unlock(&shard->mutex);
	return found;
}

void verified_add(struct verified *verified, const uint8_t digest[SHA256_LEN], int64_t now,
		  const struct token_claims *claims, uint64_t round)
{
	struct shard *shard = shard_of(verified, digest);
	struct entry *set = set_of(shard, digest);
	struct entry *oldest = &set[0];

	if (!texts_fit(*claims))
		return;
	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 1; i < WAYS; i++)
		if (set[i].at < oldest->at)
			oldest = &set[i];
	memcpy(oldest->digest, digest, SHA256_LEN);
	oldest->at = now;
	oldest->round = round;
	oldest->claims = *claims;
	move_texts(&oldest->claims, oldest->text);
	pthread_mutex_unlock(&shard->mutex);
}

uint64_t verified_round(struct verified *verified)
{
	return atomic_load(&verified->round);
}

void verified_forget(struct verified *verified)
{
	(void)atomic_fetch_add(&verified->round, 1);
}
