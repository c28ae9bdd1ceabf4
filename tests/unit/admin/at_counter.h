/* SPDX-License-Identifier: Apache-2.0 */
/* One counter per test: opened before it, closed behind it. */
#pragma once

#include "counter.h"

extern struct counter counter;

int counter_start(void **state);
int counter_end(void **state);
