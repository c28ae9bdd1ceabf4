/* SPDX-License-Identifier: Apache-2.0 */
/* How times, statuses, durations and agents are put before people. */
#pragma once

#include "config/resource.h"
#include "model/client.h"
#include "model/details.h"
#include "model/grant.h"
#include "web/page.h"

/*
 * {"iso": …, "exact": …, "words": "3 minutes ago"}; for NEVER only words ("until you revoke it").
 */
void words_time(const struct page *page, struct data *object, int64_t at);
/* What who guessed too often reads; also puts Retry-After on the reply. */
struct str words_wait(const struct page *page, int64_t seconds);
/* The moment in UTC, as people write it: "25 Nov 2026, 09:00 UTC". */
struct str words_exact(const struct page *page, int64_t at);
/* KEY.one or KEY.other, filled with {count}. */
struct str words_count(const struct page *page, const char *key, int64_t count);
/*
 * {"letters": "MA", "class": "m7"}: the colour comes from the id, so that a new name changes
 * nothing.
 */
void words_monogram(const struct page *page, struct data *object, struct str id, struct str name);
/* All that one element of authorization details says: its operations, then its limits. */
struct str words_detail(const struct page *page, const struct resource *resource,
			const struct detail *detail);
/* {"name", "word"}: for a class and for people. */
void words_status(const struct page *page, struct data *object, enum grant_status status);
/*
 * The choices of a person for how long, as far as max (ms; 0: no ceiling) allows; one is checked.
 */
struct duration_choice {
	const char *value;
	const char *key;
	int64_t ms; /* at most; 0: without end */
};
extern const struct duration_choice duration_choices[];
extern const size_t duration_choice_count;
bool duration_is_allowed(const struct duration_choice *choice, int64_t max);
