/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/exposition.h"

#include "check.h"

static struct exposition open_in(struct arena *arena, size_t max)
{
	return (struct exposition){ .buf = buf_in(arena, max) };
}

static void a_family_is_its_help_its_type_and_its_samples(void **state)
{
	struct arena arena = { 0 };
	struct exposition to = open_in(&arena, 4096);
	struct labels two = LABEL("queue", STR("slow"));
	struct str text;

	(void)state;
	two.at[two.count++] = (struct label){ "route", STR("/r/{name}") };
	exposition_family(&to, FAMILY_COUNTER, "a_total", "What it is.");
	exposition_sample(&to, NO_LABELS, 0);
	exposition_sample(&to, two, UINT64_MAX);
	exposition_family(&to, FAMILY_GAUGE, "b", "Else.");
	exposition_sample(&to, LABEL("v", STR("")), 7);
	CHECK_ERR(buf_finish(&to.buf, &text), OK);
	CHECK_STR(text, STR("# HELP a_total What it is.\n"
			    "# TYPE a_total counter\n"
			    "a_total 0\n"
			    "a_total{queue=\"slow\",route=\"/r/{name}\"} 18446744073709551615\n"
			    "# HELP b Else.\n"
			    "# TYPE b gauge\n"
			    "b{v=\"\"} 7\n"));
	arena_free(&arena);
}

static const struct {
	int64_t ms;
	struct str text;
} times[] = {
	{ 0, STR_INIT("t 0\n") },
	{ 1, STR_INIT("t 0.001\n") },
	{ 1500, STR_INIT("t 1.5\n") },
	{ 60000, STR_INIT("t 60\n") },
	{ INT64_C(1795597200120), STR_INIT("t 1795597200.12\n") },
};

static void times_are_seconds_without_trailing_zeros(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		struct exposition to = open_in(&arena, 4096);
		struct str text;

		to.family = "t";
		exposition_time(&to, NO_LABELS, times[i].ms);
		CHECK_ERR(buf_finish(&to.buf, &text), OK);
		CHECK_STR(text, times[i].text);
	}
	arena_free(&arena);
}

static void buckets_hold_all_below_them_and_the_last_one_everything(void **state)
{
	struct arena arena = { 0 };
	struct exposition to = open_in(&arena, 4096);
	struct histogram_sum sum = { .count = 6, .sum_us = 31002500 };
	struct str text;

	(void)state;
	sum.buckets[0] = 1;
	sum.buckets[2] = 2;
	sum.buckets[HISTOGRAM_BOUNDS] = 3;
	to.family = "h";
	exposition_histogram(&to, LABEL("r", STR("x")), &sum);
	CHECK_ERR(buf_finish(&to.buf, &text), OK);
	CHECK_STR(text, STR("h_bucket{r=\"x\",le=\"0.0005\"} 1\n"
			    "h_bucket{r=\"x\",le=\"0.001\"} 1\n"
			    "h_bucket{r=\"x\",le=\"0.0025\"} 3\n"
			    "h_bucket{r=\"x\",le=\"0.005\"} 3\n"
			    "h_bucket{r=\"x\",le=\"0.01\"} 3\n"
			    "h_bucket{r=\"x\",le=\"0.025\"} 3\n"
			    "h_bucket{r=\"x\",le=\"0.05\"} 3\n"
			    "h_bucket{r=\"x\",le=\"0.1\"} 3\n"
			    "h_bucket{r=\"x\",le=\"0.25\"} 3\n"
			    "h_bucket{r=\"x\",le=\"1\"} 3\n"
			    "h_bucket{r=\"x\",le=\"5\"} 3\n"
			    "h_bucket{r=\"x\",le=\"30\"} 3\n"
			    "h_bucket{r=\"x\",le=\"+Inf\"} 6\n"
			    "h_sum{r=\"x\"} 31.0025\n"
			    "h_count{r=\"x\"} 6\n"));
	arena_free(&arena);
}

static void what_does_not_fit_is_refused_whole(void **state)
{
	struct arena arena = { 0 };
	struct exposition to = open_in(&arena, 10);
	struct str text;

	(void)state;
	exposition_family(&to, FAMILY_GAUGE, "much_too_long", "Indeed.");
	CHECK_ERR(buf_finish(&to.buf, &text), ERR_TOO_LARGE);
	arena_free(&arena);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_family_is_its_help_its_type_and_its_samples),
		   cmocka_unit_test(times_are_seconds_without_trailing_zeros),
		   cmocka_unit_test(buckets_hold_all_below_them_and_the_last_one_everything),
		   cmocka_unit_test(what_does_not_fit_is_refused_whole));
}
