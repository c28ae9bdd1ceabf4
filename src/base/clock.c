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

static bool two_digits(struct str text, size_t at, int *ret_value)
{
	const char *digits = text.at + at;

	if (digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9')
		return false;
	*ret_value = (digits[0] - '0') * 10 + digits[1] - '0';
	return true;
}

/* What is out of its bounds (February 30, 25 o'clock) is written otherwise than it was read. */
bool clock_parse(struct str text, int64_t *ret_wall_ms)
{
	static const char form[] = "0000-00-00T00:00:00Z";
	int century, year, month;
	struct tm parts = { 0 };
	char again[40];
	time_t seconds;

	if (text.len != sizeof(form) - 1 || !two_digits(text, 0, &century) ||
	    !two_digits(text, 2, &year) || !two_digits(text, 5, &month) ||
	    !two_digits(text, 8, &parts.tm_mday) || !two_digits(text, 11, &parts.tm_hour) ||
	    !two_digits(text, 14, &parts.tm_min) || !two_digits(text, 17, &parts.tm_sec))
		return false;
	parts.tm_year = century * 100 + year - 1900;
	parts.tm_mon = month - 1;
	seconds = timegm(&parts);
	if (seconds < 0 || strftime(again, sizeof(again), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0 ||
	    !str_equals(text, str_from_c(again)))
		return false;
	*ret_wall_ms = (int64_t)seconds * SECOND_MS;
	return true;
}
