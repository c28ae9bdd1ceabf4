/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/throttle.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/task.h"

#define SETS 4096
#define WAYS 4

static const struct throttle_limit limits[THROTTLE_KIND_COUNT] = {
	[THROTTLE_CLIENT_SECRET] = { "client-secret", 20, MINUTE_MS, 1 },
	[THROTTLE_INTROSPECTION] = { "introspection", 10000, MINUTE_MS, 500 },
	[THROTTLE_AUTHORIZE] = { "authorize", 300, MINUTE_MS, 10 },
	[THROTTLE_PUSH] = { "push", 300, MINUTE_MS, 10 },
	[THROTTLE_PUSH_ALL] = { "push-all", 3000, MINUTE_MS, 0 },
	[THROTTLE_ACCESS_EVENT] = { "access-event", 1, MINUTE_MS, 0 },
	[THROTTLE_CLIENT_EVENT] = { "client-event", 1, MINUTE_MS, 0 },
	[THROTTLE_FAN_OUT_EVENT] = { "fan-out-event", 1, MINUTE_MS, 0 },
	[THROTTLE_REGISTER] = { "register", 60, MINUTE_MS, 5 },
	[THROTTLE_REGISTER_ALL] = { "register-all", 600, MINUTE_MS, 0 },
	[THROTTLE_REGISTER_CHANGES] = { "register-changes", 600, MINUTE_MS, 0 },
	[THROTTLE_DOCUMENT] = { "document", 60, HOUR_MS, 5 },
	[THROTTLE_DOCUMENT_HOST] = { "document-host", 10, HOUR_MS, 1 },
	[THROTTLE_TOUCH] = { "touch", 1, MINUTE_MS, 0 },
	[THROTTLE_DEVICE] = { "device", 30, MINUTE_MS, 3 },
	[THROTTLE_DEVICE_CLIENT] = { "device-client", 300, MINUTE_MS, 10 },
	[THROTTLE_DEVICE_NETWORK] = { "device-network", 120, MINUTE_MS, 10 },
	[THROTTLE_DEVICE_ALL] = { "device-all", 1200, MINUTE_MS, 0 },
	[THROTTLE_DEVICE_POLL] = { "device-poll", 60, MINUTE_MS, 0 },
	[THROTTLE_USER_CODE] = { "user-code", 5, HOUR_MS, 1 },
	[THROTTLE_USER_CODE_NETWORK] = { "user-code-network", 20, HOUR_MS, 1 },
	[THROTTLE_SHARED] = { "shared", 6000, MINUTE_MS, 0 },
};

struct entry {
	uint64_t hash; /* of kind and key; 0: free */
	int64_t started_at;
	uint32_t count;
	uint32_t untold; /* of these, what other nodes do not know of */
};

struct throttle {
	pthread_mutex_t mutex;
	uint64_t seed;
	struct entry sets[SETS][WAYS];
};

const struct throttle_limit *throttle_limit(enum throttle_kind kind)
{
	return &limits[kind];
}

struct throttle *throttle_new(uint64_t seed)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (throttle == NULL)
		abort();
	pthread_mutex_init(&throttle->mutex, NULL);
	throttle->seed = seed;
	return throttle;
}

void throttle_free(struct throttle **throttle)
{
	if (*throttle == NULL)
		return;
	pthread_mutex_destroy(&(*throttle)->mutex);
	free(*throttle);
	*throttle = NULL;
}

/* FNV-1a from the seed, mixed: nobody outside can aim for another key's place. */
static uint64_t hash_of(const struct throttle *throttle, enum throttle_kind kind, struct str key)
{
	uint64_t hash = throttle->seed ^ (UINT64_C(0xcbf29ce484222325) + (uint64_t)kind);

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.at[i]) * UINT64_C(0x100000001b3);
	hash = (hash ^ (hash >> 30) ^ throttle->seed) * UINT64_C(0xbf58476d1ce4e5b9);
	hash ^= hash >> 31;
	return hash == 0 ? 1 : hash;
}

static struct entry *find(struct throttle *throttle, uint64_t hash)
{
	struct entry *set = throttle->sets[hash % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].hash == hash)
			return &set[i];
	return NULL;
}

/* The entry, in a window that is still open; the oldest of its set gives way. */
static struct entry *take(struct throttle *throttle, uint64_t hash, int64_t now, int64_t window)
{
	struct entry *entry = find(throttle, hash);
	struct entry *set = throttle->sets[hash % SETS];

	if (entry == NULL) {
		entry = &set[0];
		for (size_t i = 1; i < WAYS; i++)
			if (set[i].started_at < entry->started_at)
				entry = &set[i];
		*entry = (struct entry){ .hash = hash, .started_at = now };
	}
	if (now - entry->started_at >= window)
		*entry = (struct entry){ .hash = hash, .started_at = now };
	return entry;
}

/* How long the key's window stays used up; 0 or less: it is not. */
static int64_t time_left(struct throttle *throttle, enum throttle_kind kind, struct str key,
			 int64_t now)
{
	uint64_t hash = hash_of(throttle, kind, key);
	int64_t left = 0;
	const struct entry *entry;

	pthread_mutex_lock(&throttle->mutex);
	entry = find(throttle, hash);
	if (entry != NULL && entry->count >= limits[kind].allowed)
		left = entry->started_at + limits[kind].window_ms - now;
	pthread_mutex_unlock(&throttle->mutex);
	return left;
}

enum err throttle_check(struct task *task, struct throttle *throttle, enum throttle_kind kind,
			struct str key, int64_t *ret_retry_after)
{
	int64_t left = time_left(throttle, kind, key, task->now);

	if (left <= 0)
		return OK;
	*ret_retry_after = (left + SECOND_MS - 1) / SECOND_MS;
	return fail(task, ERR_THROTTLED, "too many attempts; wait before the next one");
}

bool throttle_is_used_up(struct task *task, struct throttle *throttle, enum throttle_kind kind,
			 struct str key)
{
	return time_left(throttle, kind, key, task->now) > 0;
}

static uint32_t take_untold(struct entry *entry, uint32_t share_every)
{
	uint32_t untold = entry->untold;

	if (share_every == 0 || untold < share_every)
		return 0;
	entry->untold = 0;
	return untold;
}

bool throttle_count_shared(struct task *task, struct throttle *throttle, enum throttle_kind kind,
			   struct str key, uint32_t *ret_share)
{
	uint64_t hash = hash_of(throttle, kind, key);
	bool used_up;
	struct entry *entry;

	pthread_mutex_lock(&throttle->mutex);
	entry = take(throttle, hash, task->now, limits[kind].window_ms);
	if (entry->count < UINT32_MAX) {
		entry->count++;
		entry->untold++;
	}
	used_up = entry->count == limits[kind].allowed;
	*ret_share = take_untold(entry, limits[kind].share_every);
	pthread_mutex_unlock(&throttle->mutex);
	return used_up;
}

bool throttle_count(struct task *task, struct throttle *throttle, enum throttle_kind kind,
		    struct str key)
{
	uint32_t share;

	return throttle_count_shared(task, throttle, kind, key, &share);
}

void throttle_give_back(struct throttle *throttle, enum throttle_kind kind, struct str key,
			uint32_t untold)
{
	uint64_t hash = hash_of(throttle, kind, key);
	struct entry *entry;

	pthread_mutex_lock(&throttle->mutex);
	entry = find(throttle, hash);
	/* unless another window has begun, to which they do not belong */
	if (entry != NULL && entry->count - entry->untold >= untold)
		entry->untold += untold;
	pthread_mutex_unlock(&throttle->mutex);
}

void throttle_learn(struct throttle *throttle, enum throttle_kind kind, struct str key,
		    int64_t total, int64_t ends_at)
{
	int64_t started_at = ends_at - limits[kind].window_ms;
	uint64_t hash = hash_of(throttle, kind, key);
	struct entry *entry;

	pthread_mutex_lock(&throttle->mutex);
	entry = take(throttle, hash, started_at, limits[kind].window_ms);
	if (total + entry->untold > entry->count) {
		entry->count = (uint32_t)(total + entry->untold);
		entry->started_at = started_at;
	}
	pthread_mutex_unlock(&throttle->mutex);
}
