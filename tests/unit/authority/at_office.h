/* SPDX-License-Identifier: Apache-2.0 */
/* One office per test: opened before it, closed behind it. */
#pragma once

#include "office.h"

extern struct office office;

int office_start(void **state);
int office_end(void **state);
/* The last step of what was begun by a test: answers how it ended. */
enum err office_finished(struct task *task, enum err result, void *arg);
