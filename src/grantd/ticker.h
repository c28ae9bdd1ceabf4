/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does one thing again and again until it is told to end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct clock;
struct log;
struct task;
struct ticker;

typedef void ticker_fn(void *context);

/* The first round begins at once, each further one every_ms after the end of the one before. */
MUST_CHECK enum err ticker_start(struct task *task, int64_t every_ms, ticker_fn *round,
				 void *context, struct ticker **ret_ticker);
/* Ends after the round it is in. Accepts NULL inside. */
void ticker_stop(struct ticker **ticker);

/* What the tasks of a ticker's steps begin with. */
struct ticker_home {
	struct clock *clock;
	struct log *log;
	unsigned thread; /* the number of its read connection */
};

/* True when it is time again, or for the first time. *last is monotonic. */
bool ticker_is_due(int64_t *last, int64_t every_ms);
/* One step with memory of its own. */
void ticker_step_begin(const struct ticker_home *home, const char *name, struct task *task);
/* A failure is logged, and the next round tries again. */
void ticker_step_end(struct task *task, enum err result);
