/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmocka with our words: CHECK, CHECK_STR, and a clock the test sets. A test that leaves a file
 * descriptor open fails: no sanitizer looks for those.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* base/task.h means something else by fail, whichever of the two comes first */
#pragma push_macro("fail")
#undef fail
#include <cmocka.h>
#pragma pop_macro("fail")

#include "base/task.h"

#define CHECK(condition)	  assert_true(condition)
#define CHECK_ERR(call, expected) assert_string_equal(err_name(call), err_name(expected))
#define CHECK_STR(actual, expected)                                                                \
	do {                                                                                       \
		struct str check_actual_ = (actual), check_expected_ = (expected);                 \
		assert_int_equal(check_actual_.len, check_expected_.len);                          \
		if (check_actual_.len > 0)                                                         \
			assert_memory_equal(check_actual_.at, check_expected_.at,                  \
					    check_actual_.len);                                    \
	} while (0)

/* CHECK in a loop over rows: printf's words say which of them it was. */
#define CHECK_ROW(condition, ...)                                                                  \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			print_error(__VA_ARGS__);                                                  \
			_fail(__FILE__, __LINE__);                                                 \
		}                                                                                  \
	} while (0)

/* Runs the tests listed: int main(void) { return RUN(cmocka_unit_test(a_sentence), …); } */
#define RUN(...)                                                                                   \
	check_run((const struct CMUnitTest[]){ __VA_ARGS__ },                                      \
		  COUNT_OF(((const struct CMUnitTest[]){ __VA_ARGS__ })), NULL, NULL)
/* The same for a list; begin and end are run once around all of them. NULL: nothing. */
int check_run(const struct CMUnitTest *tests, size_t count, CMFixtureFunction begin,
	      CMFixtureFunction end);

/* A fixture: a task by a clock that stands at CHECK_NOW, which the tests get as their state. */
int check_task_begin(void **state);
int check_task_end(void **state);

/* 2026-11-25T09:00:00Z */
#define CHECK_NOW INT64_C(1795597200000)

/* A clock that stands where the test puts it. */
struct check_clock {
	struct clock clock;
	int64_t now;
};

static inline int64_t check_read(void *context)
{
	return ((struct check_clock *)context)->now;
}

static inline void check_clock_start(struct check_clock *clock)
{
	*clock = (struct check_clock){ .now = CHECK_NOW };
	clock->clock.read_wall = check_read;
	clock->clock.context = clock;
}
