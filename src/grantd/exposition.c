/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/exposition.h"

#include <assert.h>
#include <string.h>

#include "base/str.h"

#define SECONDS_ROOM 32

void exposition_family(struct exposition *to, enum family_kind kind, const char *name,
		       const char *help)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	to->family = name;
	buf_add_c(&to->buf, "# HELP ");
	buf_add_c(&to->buf, name);
	buf_add_c(&to->buf, " ");
	buf_add_c(&to->buf, help);
	buf_add_c(&to->buf, "\n# TYPE ");
	buf_add_c(&to->buf, name);
	buf_add_c(&to->buf, " ");
	buf_add_c(&to->buf, kinds[kind]);
	buf_add_c(&to->buf, "\n");
}

static void add_name(struct exposition *to, const char *suffix, const struct labels *labels)
{
	struct buf *buf = &to->buf;

	buf_add_c(buf, to->family);
	buf_add_c(buf, suffix);
	for (size_t i = 0; i < labels->count; i++) {
		assert(!str_has(labels->at[i].value, '"') && !str_has(labels->at[i].value, '\\') &&
		       !str_has(labels->at[i].value, '\n'));
		buf_add_char(buf, i == 0 ? '{' : ',');
		buf_add_c(buf, labels->at[i].name);
		buf_add_c(buf, "=\"");
		buf_add(buf, labels->at[i].value);
		buf_add_char(buf, '"');
	}
	if (labels->count > 0)
		buf_add_char(buf, '}');
	buf_add_char(buf, ' ');
}

void exposition_sample(struct exposition *to, struct labels labels, uint64_t value)
{
	add_name(to, "", &labels);
	buf_add_u64(&to->buf, value);
	buf_add_char(&to->buf, '\n');
}

struct seconds {
	char room[SECONDS_ROOM];
};

/* Microseconds as seconds: "0.0025", "30". Written from the end of the room. */
static struct str seconds_text(struct seconds *seconds, uint64_t us)
{
	size_t at = SECONDS_ROOM;
	bool is_trailing = true;

	for (int digits = 0; digits < 6; digits++, us /= 10) {
		if (is_trailing && us % 10 == 0)
			continue;
		is_trailing = false;
		seconds->room[--at] = (char)('0' + us % 10);
	}
	if (!is_trailing)
		seconds->room[--at] = '.';
	do {
		seconds->room[--at] = (char)('0' + us % 10);
		us /= 10;
	} while (us > 0);
	return (struct str){ &seconds->room[at], SECONDS_ROOM - at };
}

void exposition_time(struct exposition *to, struct labels labels, int64_t ms)
{
	struct seconds room;

	add_name(to, "", &labels);
	buf_add(&to->buf, seconds_text(&room, (uint64_t)ms * 1000));
	buf_add_char(&to->buf, '\n');
}

static void add_bucket(struct exposition *to, struct labels labels, struct str bound,
		       uint64_t up_to)
{
	assert(labels.count < LABELS_MAX);
	labels.at[labels.count++] = (struct label){ "le", bound };
	add_name(to, "_bucket", &labels);
	buf_add_u64(&to->buf, up_to);
	buf_add_char(&to->buf, '\n');
}

void exposition_histogram(struct exposition *to, struct labels labels,
			  const struct histogram_sum *sum)
{
	struct seconds room;
	uint64_t up_to = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		up_to += sum->buckets[i];
		add_bucket(to, labels, seconds_text(&room, (uint64_t)histogram_bounds[i]), up_to);
	}
	/* as counted here: a thread that goes on meanwhile must not make the buckets disagree */
	add_bucket(to, labels, STR("+Inf"), sum->count);
	add_name(to, "_sum", &labels);
	buf_add(&to->buf, seconds_text(&room, sum->sum_us));
	buf_add_char(&to->buf, '\n');
	add_name(to, "_count", &labels);
	buf_add_u64(&to->buf, sum->count);
	buf_add_char(&to->buf, '\n');
}
