/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers that are the same every time (splitmix64); a test may begin elsewhere. */
#pragma once

#include <stdint.h>

static uint64_t seed;

static uint64_t next_random(void)
{
	uint64_t z = (seed += 0x9E3779B97F4A7C15u);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static unsigned below(unsigned bound)
{
	return (unsigned)(next_random() % bound);
}
