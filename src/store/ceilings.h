/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the installations of a grant lose with a permission: one that was taken away, or whose end
 * has passed, is over for all that had it, and a later yes is for the one alone that it is said to.
 */
#pragma once

#include "base/err.h"
#include "model/grant.h"

struct task;
struct db;

/* Takes the scope out of the ceilings of the grant's installations: it is being taken away. */
MUST_CHECK enum err ceilings_lose(struct task *task, struct db *db, struct str grant_id,
				  struct str scope);
/*
 * Before the grant is put: takes out of the ceilings of the live one in its place what the grant is
 * to give and that one does not give any more.
 */
MUST_CHECK enum err ceilings_lose_over(struct task *task, struct db *db, const struct grant *grant);
