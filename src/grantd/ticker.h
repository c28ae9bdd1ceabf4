/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does one thing again and again until it is told to end. */
#pragma once

#include "base/err.h"

#include <stdint.h>

struct task;
struct ticker;

typedef void ticker_fn(void *context);

/* The first round begins at once, each further one every_ms after the end of the one before. */
MUST_CHECK enum err ticker_start(struct task *task, int64_t every_ms, ticker_fn *round,
				 void *context, struct ticker **ret_ticker);
/* Ends after the round it is in. Accepts NULL inside. */
void ticker_stop(struct ticker **ticker);
