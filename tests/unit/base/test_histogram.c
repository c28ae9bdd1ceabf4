/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <pthread.h>

#include "check.h"

static void a_time_falls_into_the_first_bucket_that_holds_it(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_sum sum = { 0 };

	(void)state;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		histogram_add(&histogram, histogram_bounds[i]);
		histogram_add(&histogram, histogram_bounds[i] + 1);
	}
	histogram_collect(&histogram, &sum);
	CHECK(sum.buckets[0] == 1);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		CHECK(sum.buckets[i] == 2);
	CHECK(sum.buckets[HISTOGRAM_BOUNDS] == 1);
	CHECK(sum.count == 2 * (uint64_t)HISTOGRAM_BOUNDS);
}

static void bounds_ascend(void **state)
{
	(void)state;
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		CHECK(histogram_bounds[i - 1] < histogram_bounds[i]);
}

static void a_time_that_ran_backwards_counts_as_none(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_sum sum = { 0 };

	(void)state;
	histogram_add(&histogram, -5);
	histogram_add(&histogram, INT64_C(3000000));
	histogram_collect(&histogram, &sum);
	CHECK(sum.count == 2);
	CHECK(sum.buckets[0] == 1);
	CHECK(sum.sum_us == 3000000);
}

static void *add_many(void *histogram)
{
	for (int i = 0; i < 100000; i++)
		histogram_add(histogram, i);
	return NULL;
}

static void what_is_read_meanwhile_never_exceeds_what_was_added_and_ends_exact(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_sum sum = { 0 };
	uint64_t before = 0;
	pthread_t thread;

	(void)state;
	CHECK(pthread_create(&thread, NULL, add_many, &histogram) == 0);
	for (int i = 0; i < 1000; i++) {
		sum = (struct histogram_sum){ 0 };
		histogram_collect(&histogram, &sum);
		CHECK(sum.count >= before && sum.count <= 100000);
		before = sum.count;
	}
	CHECK(pthread_join(thread, NULL) == 0);
	sum = (struct histogram_sum){ 0 };
	histogram_collect(&histogram, &sum);
	CHECK(sum.count == 100000);
	CHECK(sum.sum_us == UINT64_C(100000) * 99999 / 2);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_time_falls_into_the_first_bucket_that_holds_it),
		   cmocka_unit_test(bounds_ascend),
		   cmocka_unit_test(a_time_that_ran_backwards_counts_as_none),
		   cmocka_unit_test(
			   what_is_read_meanwhile_never_exceeds_what_was_added_and_ends_exact));
}
