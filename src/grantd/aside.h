/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of a start that waits for none of the others, done beside them by its own thread. */
#pragma once

#include "base/err.h"

struct aside;
struct task;

typedef enum err aside_fn(struct task *task, void *arg);

/*
 * Calls work with a task of its own, beside the caller; where no thread can be had, before this
 * returns. What the work changes of arg is its own until aside_join. Never NULL.
 */
struct aside *aside_start(struct task *task, aside_fn *work, void *arg);
/*
 * Waits for the end of the work. Its error, and its reason in task unless that has failed already.
 * OK of NULL inside.
 */
MUST_CHECK enum err aside_join(struct task *task, struct aside **aside);
/* The same where its result does not matter any more. */
void aside_forget(struct aside **aside);
