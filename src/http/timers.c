/* SPDX-License-Identifier: Apache-2.0 */
#include "http/timers.h"

void timers_begin(struct timers *timers)
{
	for (size_t i = 0; i < TIMER_KINDS; i++) {
		struct timer *queue = &timers->queues[i];

		queue->before = queue->after = queue;
	}
}

void timer_disarm(struct timer *timer)
{
	if (timer->kind == TIMER_NONE)
		return;
	timer->before->after = timer->after;
	timer->after->before = timer->before;
	timer->kind = TIMER_NONE;
}

void timer_arm(struct timers *timers, struct timer *timer, enum timer_kind kind, int64_t now)
{
	struct timer *queue = &timers->queues[kind];

	timer_disarm(timer);
	timer->kind = kind;
	timer->end = now + timers->lasts_ms[kind];
	timer->before = queue->before;
	timer->after = queue;
	timer->before->after = timer;
	queue->before = timer;
}

struct timer *timers_first(struct timers *timers, enum timer_kind kind)
{
	struct timer *queue = &timers->queues[kind];

	return queue->after == queue ? NULL : queue->after;
}

struct timer *timers_ended(struct timers *timers, int64_t now)
{
	for (size_t i = TIMER_HEAD; i < TIMER_KINDS; i++) {
		struct timer *first = timers_first(timers, (enum timer_kind)i);

		if (first != NULL && first->end <= now)
			return first;
	}
	return NULL;
}

int timers_wait(const struct timers *timers, int64_t now, int most)
{
	int64_t wait = most;

	for (size_t i = TIMER_NOW; i < TIMER_KINDS; i++) {
		const struct timer *queue = &timers->queues[i];

		if (queue->after != queue && queue->after->end - now < wait)
			wait = queue->after->end - now;
	}
	return wait < 0 ? 0 : (int)wait;
}
