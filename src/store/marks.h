/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marks: named times that only go forward, for what must be known after a restart: "clock" is the
 * highest time that was seen, "ends" up to when grants that ran out are dealt with, "keys" when the
 * signing keys last changed, "root" (no time) the number of the current root key, "retained" as of
 * when old rows were last deleted, "walked" when that was done.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

/* 0 when it was never set. */
MUST_CHECK enum err mark_find(struct task *task, struct db *db, struct str name, int64_t *ret_at);
/* Stays where it is when `at` is not above it. */
MUST_CHECK enum err mark_raise(struct task *task, struct db *db, struct str name, int64_t at);
/*
 * Higher than before in any case, to the task's time or by one: a version that others watch. Takes
 * the row, so that those who step the same mark take turns.
 */
MUST_CHECK enum err mark_step(struct task *task, struct db *db, struct str name);
