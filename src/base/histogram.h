/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long things took, sorted into a fixed set of bounds. One thread adds, any thread may read: an
 * addition is two plain stores to memory of that thread's own, so measuring costs a few
 * nanoseconds. What two threads measure is summed when somebody asks.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 12

/* In microseconds, ascending: 0.5 ms to 30 s, the deadline of a handler. */
extern const int64_t histogram_bounds[HISTOGRAM_BOUNDS];

/* The last bucket is for what took longer than every bound. */
struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BOUNDS + 1];
	_Atomic uint64_t sum_us;
};

struct histogram_sum {
	uint64_t buckets[HISTOGRAM_BOUNDS + 1];
	uint64_t count;
	uint64_t sum_us;
};

/* A number that only one thread changes: without the lock prefix of an atomic addition. */
static inline void figure_add(_Atomic uint64_t *figure, uint64_t more)
{
	atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + more,
			      memory_order_relaxed);
}

static inline uint64_t figure_get(const _Atomic uint64_t *figure)
{
	return atomic_load_explicit(figure, memory_order_relaxed);
}

/* What is negative counts as 0. */
void histogram_add(struct histogram *histogram, int64_t took_us);
/* Adds it to the sum. */
void histogram_collect(const struct histogram *histogram, struct histogram_sum *sum);
