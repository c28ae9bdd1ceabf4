/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/random.h"

#include <sodium.h>
#include <string.h>

#include "base/arena.h"
#include "crypto/sodium_ready.h"

#define ID_BYTES 16

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

struct str random_id(struct arena *arena, const char *prefix)
{
	uint8_t bytes[ID_BYTES];

	random_bytes(bytes, sizeof(bytes));
	return spell_id(arena, prefix, bytes);
}

struct str random_id_at(struct arena *arena, const char *prefix, int64_t wall_ms)
{
	uint8_t bytes[ID_BYTES];

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < 6; i++)
		bytes[i] = (uint8_t)((uint64_t)wall_ms >> (40 - 8 * i));
	return spell_id(arena, prefix, bytes);
}

bool id_is_valid(struct str id, const char *prefix)
{
	struct str start = str_from_c(prefix);

	return id.len == start.len + ID_RANDOM_LEN && str_starts_with(id, start) &&
	       str_only(str_from(id, start.len), alphabet);
}
