/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX	   1024
#define LEAK_LOOKS 500 /* 5 s */

/* A test with what was there before it; cmocka's state for the test itself hangs inside. */
struct check_case {
	struct CMUnitTest test;
	void *state;
	bool was_open[FDS_MAX];
};

static void look(bool *is_open)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	assert_non_null(dir);
	memset(is_open, 0, FDS_MAX * sizeof(*is_open));
	while ((entry = readdir(dir)) != NULL) {
		uint64_t fd;

		if (str_to_u64(str_from_c(entry->d_name), FDS_MAX - 1, &fd) &&
		    (int)fd != dirfd(dir))
			is_open[fd] = true;
	}
	closedir(dir);
}

static int set_up(void **state)
{
	struct check_case *c = *state;

	look(c->was_open);
	c->state = c->test.initial_state;
	return c->test.setup_func == NULL ? 0 : c->test.setup_func(&c->state);
}

static void run(void **state)
{
	struct check_case *c = *state;

	c->test.test_func(&c->state);
}

static bool is_more(const struct check_case *c, const bool *is_open)
{
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (is_open[fd] && !c->was_open[fd])
			return true;
	return false;
}

/* What is open now and was not before; says so. A thread that ends by itself is given time to. */
static int count_leaks(const struct check_case *c)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	bool is_open[FDS_MAX];
	int leaks = 0;

	look(is_open);
	for (int i = 0; i < LEAK_LOOKS && is_more(c, is_open); i++) {
		nanosleep(&pause, NULL);
		look(is_open);
	}
	for (int fd = 0; fd < FDS_MAX; fd++) {
		char link[64], target[256] = "";

		if (!is_open[fd] || c->was_open[fd])
			continue;
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) < 0)
			continue;
		print_error("%s: leaves file descriptor %d open: %s\n", c->test.name, fd, target);
		leaks++;
	}
	return leaks;
}

static int tear_down(void **state)
{
	struct check_case *c = *state;
	int result = c->test.teardown_func == NULL ? 0 : c->test.teardown_func(&c->state);

	return count_leaks(c) > 0 ? -1 : result;
}

int check_run(const struct CMUnitTest *tests, size_t count, CMFixtureFunction begin,
	      CMFixtureFunction end)
{
	struct check_case *cases = calloc(count, sizeof(*cases));
	struct CMUnitTest *wrapped = calloc(count, sizeof(*wrapped));
	int failed;

	assert_true(cases != NULL && wrapped != NULL);
	for (size_t i = 0; i < count; i++) {
		cases[i].test = tests[i];
		wrapped[i] = (struct CMUnitTest){ tests[i].name, run, set_up, tear_down,
						  &cases[i] };
	}
	failed = _cmocka_run_group_tests("tests", wrapped, count, begin, end);
	free(wrapped);
	free(cases);
	return failed;
}

int check_task_begin(void **state)
{
	static struct check_clock clock;
	static struct task task;

	check_clock_start(&clock);
	task_begin(&task, &clock.clock, NULL);
	*state = &task;
	return 0;
}

int check_task_end(void **state)
{
	task_end(*state);
	return 0;
}
