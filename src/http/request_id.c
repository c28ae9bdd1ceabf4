/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request_id.h"

/* splitmix64: a permutation, so no two counts of a loop collide. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9E3779B97F4A7C15);
	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	return x ^ (x >> 31);
}

void request_id_next(struct request_ids *ids, char id[REQUEST_ID_LEN])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t count = ids->count++;
	uint64_t high = mix(ids->seed[0] + count), low = mix(ids->seed[1] ^ high);

	for (int i = 0; i < REQUEST_ID_LEN; i++) {
		id[i] = digits[high >> 59];
		high = high << 5 | low >> 59;
		low <<= 5;
	}
}
