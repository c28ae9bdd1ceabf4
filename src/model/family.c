/* SPDX-License-Identifier: Apache-2.0 */
#include "model/family.h"

#include <string.h>

#include "base/clock.h"
#include "base/task.h"

/*
 * When `generation` was superseded, which is when generation + 1 became current; never later than
 * it truly was, so that an estimate shortens the window and does not stretch it. Marks lie at least
 * SPACING apart: a generation between two of them counts from the earlier one.
 */
static int64_t superseded_at(const struct family *family, int64_t generation)
{
	int64_t at = INT64_MIN;

	for (size_t i = 0; i < family->mark_count; i++) {
		if (family->marks[i].generation > generation + 1)
			break;
		at = family->marks[i].at;
	}
	return at;
}

enum rotation rotation_judge(const struct family *family, int64_t generation, int64_t now)
{
	int64_t age;
	bool is_last = generation == family->generation - 1;

	if (generation > family->generation)
		return ROTATION_FROM_FUTURE;
	if (generation == family->generation)
		return ROTATION_ADVANCE;
	if (__builtin_sub_overflow(now, superseded_at(family, generation), &age))
		age = INT64_MAX;
	if (age <= ROTATION_PARALLEL_MS)
		return ROTATION_REPEAT;
	if (!is_last)
		return ROTATION_REUSED;
	if (age > ROTATION_LOST_ANSWER_MS)
		return ROTATION_REUSED_LOST;
	if (family->repeats_day == now / DAY_MS && family->repeats >= ROTATION_REPEATS_MAX)
		return ROTATION_TOO_OFTEN;
	return ROTATION_REPEAT_LOST;
}

/* Keeps one mark older than the longest window, for the generations that came before it. */
static void forget_old_marks(struct family *family, int64_t now)
{
	size_t old = 0;

	while (old + 1 < family->mark_count &&
	       family->marks[old + 1].at < now - ROTATION_PARALLEL_MS - SECOND_MS)
		old++;
	if (old == 0 && family->mark_count == ROTATION_MARKS)
		old = 1;
	family->mark_count -= old;
	memmove(family->marks, family->marks + old, family->mark_count * sizeof(family->marks[0]));
}

void rotation_advance(struct family *family, int64_t now)
{
	size_t count;

	family->generation++;
	forget_old_marks(family, now);
	count = family->mark_count;
	if (count > 0 && now - family->marks[count - 1].at < ROTATION_MARK_SPACING_MS)
		return;
	family->marks[count] = (struct rotation_mark){ now, family->generation };
	family->mark_count++;
}

bool rotation_count_repeat(struct family *family, int64_t now)
{
	int64_t today = now / DAY_MS;

	if (family->repeats_day != today) {
		family->repeats_day = today;
		family->repeats = 0;
	}
	family->repeats++;
	return family->repeats == ROTATION_REPEATS_MAX;
}

static void put_i64(char *at, int64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (char)((uint64_t)value >> (56 - 8 * i));
}

static int64_t get_i64(const char *at)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | (unsigned char)at[i];
	return (int64_t)value;
}

struct str rotation_marks_encode(struct arena *arena, const struct family *family)
{
	char *at = arena_alloc(arena, family->mark_count * 16 + 1);

	for (size_t i = 0; i < family->mark_count; i++) {
		put_i64(at + i * 16, family->marks[i].at);
		put_i64(at + i * 16 + 8, family->marks[i].generation);
	}
	return (struct str){ at, family->mark_count * 16 };
}

enum err rotation_marks_decode(struct task *task, struct str bytes, struct family *family)
{
	if (bytes.len % 16 != 0 || bytes.len / 16 > ROTATION_MARKS)
		return fail(task, ERR_STORE, "a family's rotation marks are damaged");
	family->mark_count = bytes.len / 16;
	for (size_t i = 0; i < family->mark_count; i++)
		family->marks[i] = (struct rotation_mark){ get_i64(bytes.at + i * 16),
							   get_i64(bytes.at + i * 16 + 8) };
	return OK;
}
