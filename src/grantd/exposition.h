/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text form that Prometheus reads (exposition format 0.0.4): a family's HELP and TYPE, then its
 * samples. Names, help and label values are our own words, for which nothing needs an escape.
 */
#pragma once

#include "base/buf.h"
#include "base/histogram.h"

enum family_kind { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM };

struct label {
	const char *name;
	struct str value;
};

#define LABELS_MAX 4

struct labels {
	struct label at[LABELS_MAX];
	size_t count;
};

#define NO_LABELS	 ((struct labels){ .count = 0 })
#define LABEL(key, text) ((struct labels){ .at = { { (key), (text) } }, .count = 1 })

struct exposition {
	struct buf buf;
	const char *family; /* that was begun last: its samples follow */
};

void exposition_family(struct exposition *to, enum family_kind kind, const char *name,
		       const char *help);
void exposition_sample(struct exposition *to, struct labels labels, uint64_t value);
/* Milliseconds, as seconds with their fraction. */
void exposition_time(struct exposition *to, struct labels labels, int64_t ms);
/* Buckets, sum and count; the labels leave room for `le`. */
void exposition_histogram(struct exposition *to, struct labels labels,
			  const struct histogram_sum *sum);
