/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time. Wall times are milliseconds since 1970 (UTC) and never run backwards within a process or,
 * after clock_raise with the newest time on record, across restarts: a clock set back must not
 * revive what has expired. Deadlines are monotonic milliseconds. The only file that asks the system
 * for the time.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS	  (60 * MINUTE_MS)
#define DAY_MS	  (24 * HOUR_MS)

struct clock {
	/* Tests replace it; NULL reads the system's clock. */
	int64_t (*read_wall)(void *context);
	void *context;
	_Atomic int64_t highest;
};

int64_t clock_wall(struct clock *clock);
/* No later clock_wall answers less than at_least. */
void clock_raise(struct clock *clock, int64_t at_least);
/* The system's own wall clock, without the mark: for telling the operator that it was set back. */
int64_t clock_system(void);
/* Milliseconds that only go forward, from an arbitrary start; for deadlines. */
int64_t clock_monotonic(void);
/* The same in microseconds, for measuring how long something took. */
int64_t clock_monotonic_us(void);
/*
 * "2026-11-25T09:30:00Z" (RFC 3339, seconds); years 1970 to 9999, the nearest for what is outside.
 */
struct str clock_format(struct arena *arena, int64_t wall_ms);
/* The inverse, of that form alone and of days that there are. */
bool clock_parse(struct str text, int64_t *ret_wall_ms);
