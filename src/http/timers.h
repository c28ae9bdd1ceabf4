/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines of a loop's connections. All deadlines of one kind last equally long, so each kind is a
 * queue in the order of its ends: arming, disarming and finding the next end cost the same for any
 * number of connections. Not locked: a loop's own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum timer_kind {
	TIMER_NONE,
	TIMER_NOW,  /* there is more to do, after the others had their turn */
	TIMER_HEAD, /* handshake and head */
	TIMER_BODY,
	TIMER_TASK, /* from the request's end to the answer */
	TIMER_WRITE,
	TIMER_IDLE,   /* between requests */
	TIMER_LINGER, /* after the last answer, for the client to read it */
	TIMER_KINDS
};

struct timer {
	struct timer *before, *after;
	int64_t end;
	enum timer_kind kind; /* TIMER_NONE: not armed */
};

struct timers {
	struct timer queues[TIMER_KINDS];
	int lasts_ms[TIMER_KINDS];
};

void timers_begin(struct timers *timers);
/* Arms from now on; an armed timer is taken from where it was. */
void timer_arm(struct timers *timers, struct timer *timer, enum timer_kind kind, int64_t now);
void timer_disarm(struct timer *timer);
/* The first of its kind, armed longest ago, or NULL. */
struct timer *timers_first(struct timers *timers, enum timer_kind kind);
/* One that has ended, or NULL. TIMER_NOW is not asked: its queue is walked once per round. */
struct timer *timers_ended(struct timers *timers, int64_t now);
/* Milliseconds to the next end, at most `most`. */
int timers_wait(const struct timers *timers, int64_t now, int most);
