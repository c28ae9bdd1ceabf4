/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, as numbered steps that are never changed once released: a later need is a new step.
 * One text for both databases with the types BYTEA, BIGINT and TEXT only. Conventions: times are
 * wall milliseconds, NULL where the thing has not happened; user_id is on every row that belongs to
 * a person, and first in its indexes (the sharding key).
 */
#pragma once

#include <stddef.h>

struct schema_step {
	const char *title;
	const char *const *statements; /* up to NULL */
};

/* Step n is at n - 1. */
extern const struct schema_step schema_steps[];
extern const size_t schema_step_count;

extern const char *const schema_step_1[];
