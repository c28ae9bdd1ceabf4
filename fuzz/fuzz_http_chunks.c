/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body, whole and byte by byte: both must give the same bytes and end alike. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/chunks.h"

#define BODY_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct body {
	enum chunk_step end;
	size_t len;
	size_t taken;
	char bytes[BODY_MAX];
};

static void check(int holds)
{
	if (!holds)
		abort();
}

static void decode(struct body *body, struct str input, size_t step)
{
	struct chunks chunks = { 0 };

	body->len = body->taken = 0;
	body->end = CHUNK_MORE;
	for (size_t at = 0; at < input.len && body->end == CHUNK_MORE; at += step) {
		struct str part = str_sub(input, at, step), data = STR_NONE;
		size_t len = part.len;

		while ((body->end = chunks_next(&chunks, BODY_MAX, &part, &data)) == CHUNK_DATA) {
			check(data.len <= BODY_MAX - body->len);
			memcpy(body->bytes + body->len, data.at, data.len);
			body->len += data.len;
		}
		body->taken += len - part.len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct body whole, cut;
	struct str input = { (const char *)data, size };

	if (size == 0)
		return 0;
	decode(&whole, input, size);
	decode(&cut, input, 1);
	check(whole.end == cut.end && whole.taken == cut.taken && whole.len == cut.len);
	check(memcmp(whole.bytes, cut.bytes, whole.len) == 0);
	return 0;
}
