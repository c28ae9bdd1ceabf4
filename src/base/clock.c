/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

#include "base/arena.h"

#define YEAR_10000 INT64_C(253402300800)

static int64_t read_ms(clockid_t id)
{
	struct timespec now = { 0 };

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

int64_t clock_system(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_us(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void clock_raise(struct clock *clock, int64_t at_least)
{
	int64_t highest = atomic_load_explicit(&clock->highest, memory_order_relaxed);

	while (at_least > highest &&
	       !atomic_compare_exchange_weak(&clock->highest, &highest, at_least))
		;
}

int64_t clock_wall(struct clock *clock)
{
	int64_t now = clock->read_wall == NULL ? clock_system() : clock->read_wall(clock->context);

	clock_raise(clock, now);
	return atomic_load_explicit(&clock->highest, memory_order_relaxed);
}

struct str clock_format(struct arena *arena, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / SECOND_MS);
	struct tm parts = { 0 };
	char text[40];
	size_t len;

	/* RFC 3339 has four digits for the year */
	if (seconds < 0)
		seconds = 0;
	if (seconds > YEAR_10000 - 1)
		seconds = YEAR_10000 - 1;
	gmtime_r(&seconds, &parts);
	len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
	return str_copy(arena, (struct str){ text, len });
}
