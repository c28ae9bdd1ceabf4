/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

const int64_t histogram_bounds[HISTOGRAM_BOUNDS] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000, 30000000,
};

void histogram_add(struct histogram *histogram, int64_t took_us)
{
	size_t at = 0;

	while (at < HISTOGRAM_BOUNDS && took_us > histogram_bounds[at])
		at++;
	figure_add(&histogram->buckets[at], 1);
	figure_add(&histogram->sum_us, took_us > 0 ? (uint64_t)took_us : 0);
}

void histogram_collect(const struct histogram *histogram, struct histogram_sum *sum)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		uint64_t count = figure_get(&histogram->buckets[i]);

		sum->buckets[i] += count;
		sum->count += count;
	}
	sum->sum_us += figure_get(&histogram->sum_us);
}
