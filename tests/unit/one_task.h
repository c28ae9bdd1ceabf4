/* SPDX-License-Identifier: Apache-2.0 */
/* One task for the cases of a file, by a clock that stands at CHECK_NOW until they set it. */
#pragma once

#include "check.h"

static struct check_clock test_clock;
static struct task task;

static int start(void **state)
{
	(void)state;
	check_clock_start(&test_clock);
	task_begin(&task, &test_clock.clock, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	task_end(&task);
	return 0;
}
