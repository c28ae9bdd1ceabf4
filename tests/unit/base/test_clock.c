/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <pthread.h>

#include "check.h"

static void a_clock_set_back_does_not_go_back(void **state)
{
	struct check_clock clock;

	(void)state;
	check_clock_start(&clock);
	CHECK(clock_wall(&clock.clock) == CHECK_NOW);
	clock.now -= HOUR_MS;
	CHECK(clock_wall(&clock.clock) == CHECK_NOW);
	clock.now = CHECK_NOW + 1;
	CHECK(clock_wall(&clock.clock) == CHECK_NOW + 1);
}

static void the_newest_time_on_record_holds_after_a_restart(void **state)
{
	struct check_clock clock;

	(void)state;
	check_clock_start(&clock);
	clock_raise(&clock.clock, CHECK_NOW + DAY_MS);
	CHECK(clock_wall(&clock.clock) == CHECK_NOW + DAY_MS);
	clock_raise(&clock.clock, CHECK_NOW);
	CHECK(clock_wall(&clock.clock) == CHECK_NOW + DAY_MS);
}

static void *raise_many(void *clock)
{
	for (int64_t i = 0; i < 20000; i++)
		clock_raise(clock, i);
	return NULL;
}

static void raced_raises_leave_the_highest(void **state)
{
	struct check_clock clock;
	pthread_t threads[4];

	(void)state;
	check_clock_start(&clock);
	clock.now = 0;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, raise_many, &clock.clock) == 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(clock_wall(&clock.clock) == 19999);
}

static void without_a_test_the_system_is_asked(void **state)
{
	struct clock clock = { 0 };
	int64_t before = clock_system();
	int64_t start = clock_monotonic();

	(void)state;
	CHECK(clock_wall(&clock) >= before);
	CHECK(before > CHECK_NOW - 3650 * DAY_MS);
	CHECK(clock_monotonic() >= start);
}

static const struct {
	int64_t ms;
	struct str text;
} times[] = {
	{ 0, STR_INIT("1970-01-01T00:00:00Z") },
	{ 999, STR_INIT("1970-01-01T00:00:00Z") },
	{ CHECK_NOW, STR_INIT("2026-11-25T09:00:00Z") },
	{ INT64_C(951782400000), STR_INIT("2000-02-29T00:00:00Z") },
	{ INT64_C(4107542399000), STR_INIT("2100-02-28T23:59:59Z") },
	{ INT64_C(253402300799999), STR_INIT("9999-12-31T23:59:59Z") },
	{ INT64_C(253402300800000), STR_INIT("9999-12-31T23:59:59Z") },
	{ INT64_MAX, STR_INIT("9999-12-31T23:59:59Z") },
	{ -1, STR_INIT("1970-01-01T00:00:00Z") },
	{ INT64_MIN, STR_INIT("1970-01-01T00:00:00Z") },
};

static void a_time_is_written_as_rfc_3339_whatever_the_number(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(times); i++)
		CHECK_STR(clock_format(&arena, times[i].ms), times[i].text);
	arena_free(&arena);
}

static void a_time_is_read_as_it_is_written_and_nothing_else_is(void **state)
{
	static const char *const refused[] = { "",
					       "2026-11-28",
					       "2026-11-28T09:30:00",
					       "2026-11-28T09:30:00z",
					       "2026-11-28 09:30:00Z",
					       "2026-11-28T09:30:00+01:00",
					       "2026-11-28T09:30:00.5Z",
					       "2026-02-30T09:30:00Z",
					       "2026-13-01T09:30:00Z",
					       "2026-11-28T25:30:00Z",
					       "1969-12-31T23:59:59Z",
					       "2O26-11-28T09:30:00Z" };
	int64_t read = 0;

	(void)state;
	CHECK(clock_parse(STR("2026-11-25T09:30:07Z"), &read) && read == 1795599007000);
	CHECK(clock_parse(STR("1970-01-01T00:00:00Z"), &read) && read == 0);
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		CHECK_ROW(!clock_parse(str_from_c(refused[i]), &read), "%s", refused[i]);
	CHECK(read == 0);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_clock_set_back_does_not_go_back),
		   cmocka_unit_test(the_newest_time_on_record_holds_after_a_restart),
		   cmocka_unit_test(raced_raises_leave_the_highest),
		   cmocka_unit_test(without_a_test_the_system_is_asked),
		   cmocka_unit_test(a_time_is_written_as_rfc_3339_whatever_the_number),
		   cmocka_unit_test(a_time_is_read_as_it_is_written_and_nothing_else_is));
}
