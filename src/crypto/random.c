/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "crypto/sodium_ready.h"

static const char alphabet[] = "234567abcdefghijklmnopqrstuvwxyz";

void random_bytes(void *at, size_t len)
{
	sodium_ready();
	randombytes_buf(at, len);
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

/* 128 bits are 25 characters of five bits and one of three. */
static void add_base32(char *to, const uint8_t bytes[ID_BYTES])
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < ID_BYTES; i++) {
		bits = (bits << 8) | bytes[i];
		held += 8;
		while (held >= 5) {
			held -= 5;
			*to++ = alphabet[(bits >> held) & 31];
		}
	}
	*to = alphabet[(bits << (5 - held)) & 31];
}

static struct str spell_id(struct arena *arena, const char *prefix, const uint8_t bytes[ID_BYTES])
{
	struct str start = str_from_c(prefix);
	char *at = arena_alloc(arena, start.len + ID_RANDOM_LEN + 1);

	memcpy(at, start.at, start.len);
	add_base32(at + start.len, bytes);
	return (struct str){ at, start.len + ID_RANDOM_LEN };
}

/*
 * A request makes two or three ids, and a system call for each would be most of their cost. What is
 * handed out is wiped here.
 */
static _Thread_local struct {
	uint8_t bytes[16 * ID_BYTES];
	size_t left;
} pool;

/* A child must not hand out what its parent has. It has one thread, the one that forked. */
static void forget_pool(void)
{
	explicit_bzero(&pool, sizeof(pool));
}

static void watch_forks(void)
{
	if (pthread_atfork(NULL, NULL, forget_pool) != 0)
		abort();
}

static void draw(uint8_t bytes[ID_BYTES])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (pool.left == 0) {
		(void)pthread_once(&once, watch_forks);
		random_bytes(pool.bytes, sizeof(pool.bytes));
		pool.left = sizeof(pool.bytes);
	}
	pool.left -= ID_BYTES;
	memcpy(bytes, pool.bytes + pool.left, ID_BYTES);
	explicit_bzero(pool.bytes + pool.left, ID_BYTES);
}

struct str random_id(struct arena *arena, const char *prefix)
{
	uint8_t bytes[ID_BYTES];

	draw(bytes);
	return spell_id(arena, prefix, bytes);
}

struct str random_id_at(struct arena *arena, const char *prefix, int64_t wall_ms)
{
	uint8_t bytes[ID_BYTES];

	draw(bytes);
	for (size_t i = 0; i < 6; i++)
		bytes[i] = (uint8_t)((uint64_t)wall_ms >> (40 - 8 * i));
	return spell_id(arena, prefix, bytes);
}

struct str id_of_digest(struct arena *arena, const char *prefix, const uint8_t digest[ID_BYTES])
{
	return spell_id(arena, prefix, digest);
}

bool id_is_valid(struct str id, const char *prefix)
{
	struct str start = str_from_c(prefix);

	return id.len == start.len + ID_RANDOM_LEN && str_starts_with(id, start) &&
	       str_only(str_from(id, start.len), alphabet);
}
