/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "model/family.h"

static struct family born(int64_t now)
{
	struct family family = { .id = STR("fam_x") };

	rotation_advance(&family, now);
	return family;
}

static struct family advanced(struct family family, int64_t now)
{
	rotation_advance(&family, now);
	return family;
}

static void the_current_token_rotates_at_any_age(void **state)
{
	struct family family = born(CHECK_NOW);

	(void)state;
	CHECK(rotation_judge(&family, 1, CHECK_NOW) == ROTATION_ADVANCE);
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 300 * DAY_MS) == ROTATION_ADVANCE);
}

static void a_token_superseded_within_ten_seconds_gets_the_current_one(void **state)
{
	struct family family = advanced(born(CHECK_NOW - HOUR_MS), CHECK_NOW);

	(void)state;
	CHECK(rotation_judge(&family, 1, CHECK_NOW) == ROTATION_REPEAT);
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 10000) == ROTATION_REPEAT);
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 10001) == ROTATION_REPEAT_LOST);
}

static void a_lost_answer_is_forgiven_for_a_minute_while_its_successor_is_unused(void **state)
{
	struct family family = advanced(born(CHECK_NOW - HOUR_MS), CHECK_NOW);

	(void)state;
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 60000) == ROTATION_REPEAT_LOST);
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 60001) == ROTATION_REUSED_LOST);
	family = advanced(family, CHECK_NOW + 20000);
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 20000) == ROTATION_REUSED);
}

static void five_rotations_in_a_second_all_share_the_successor_for_ten_seconds(void **state)
{
	struct family family = born(CHECK_NOW - HOUR_MS);

	(void)state;
	for (int i = 0; i < 5; i++)
		rotation_advance(&family, CHECK_NOW + i * 150);
	for (int64_t generation = 1; generation <= 5; generation++)
		CHECK(rotation_judge(&family, generation, CHECK_NOW + 5000) == ROTATION_REPEAT);
	for (int64_t generation = 1; generation <= 4; generation++)
		CHECK(rotation_judge(&family, generation, CHECK_NOW + 11000) == ROTATION_REUSED);
}

static void a_window_is_never_stretched_by_the_spacing_of_marks(void **state)
{
	int64_t real[400];
	struct family family = born(CHECK_NOW);

	(void)state;
	for (int i = 0; i < 400; i++) {
		int64_t now = CHECK_NOW + 1000 + i * 97;

		rotation_advance(&family, now);
		real[i] = now; /* generation i + 1 was superseded */
		for (int j = 0; j <= i; j++) {
			enum rotation judged = rotation_judge(&family, j + 1, now);
			int64_t age = now - real[j];

			if (judged == ROTATION_REPEAT)
				CHECK(age <= ROTATION_PARALLEL_MS);
			else
				CHECK(age > ROTATION_PARALLEL_MS - ROTATION_MARK_SPACING_MS);
		}
	}
}

static void a_generation_from_the_future_tells_of_an_old_database(void **state)
{
	struct family family = born(CHECK_NOW);

	(void)state;
	CHECK(rotation_judge(&family, 2, CHECK_NOW) == ROTATION_FROM_FUTURE);
	CHECK(rotation_judge(&family, INT64_MAX, CHECK_NOW) == ROTATION_FROM_FUTURE);
}

static void a_generation_that_never_was_ends_the_family(void **state)
{
	struct family family = advanced(advanced(born(CHECK_NOW - DAY_MS), CHECK_NOW - HOUR_MS),
					CHECK_NOW);

	(void)state;
	CHECK(rotation_judge(&family, 0, CHECK_NOW) == ROTATION_REUSED);
	CHECK(rotation_judge(&family, INT64_MIN, CHECK_NOW) == ROTATION_REUSED);
}

static void ten_lost_answers_a_day_tell_the_person_and_revoke_nothing(void **state)
{
	struct family family = advanced(born(CHECK_NOW - HOUR_MS), CHECK_NOW);
	int64_t later = CHECK_NOW + 30000;

	(void)state;
	for (int i = 1; i < 10; i++)
		CHECK(!rotation_count_repeat(&family, later));
	CHECK(rotation_judge(&family, 1, later) == ROTATION_REPEAT_LOST);
	CHECK(rotation_count_repeat(&family, later));
	CHECK(rotation_judge(&family, 1, later) == ROTATION_TOO_OFTEN);
	CHECK(rotation_judge(&family, 1, CHECK_NOW + 9000) == ROTATION_REPEAT);
	CHECK(!rotation_count_repeat(&family, later + DAY_MS));
}

static void marks_survive_their_encoding(void **state)
{
	struct task task;
	struct check_clock clock;
	struct family family = born(CHECK_NOW), back = { 0 };
	struct str bytes;

	(void)state;
	check_clock_start(&clock);
	task_begin(&task, &clock.clock, NULL);
	for (int i = 0; i < 100; i++)
		rotation_advance(&family, CHECK_NOW + i * 600);
	bytes = rotation_marks_encode(&task.arena, &family);
	CHECK_ERR(rotation_marks_decode(&task, bytes, &back), OK);
	CHECK(back.mark_count == family.mark_count && back.mark_count > 10);
	for (size_t i = 0; i < back.mark_count; i++)
		CHECK(back.marks[i].at == family.marks[i].at &&
		      back.marks[i].generation == family.marks[i].generation);
	CHECK_ERR(rotation_marks_decode(&task, str_sub(bytes, 0, 15), &back), ERR_STORE);
	task_end(&task);
}

int main(void)
{
	return RUN(cmocka_unit_test(the_current_token_rotates_at_any_age),
		   cmocka_unit_test(a_token_superseded_within_ten_seconds_gets_the_current_one),
		   cmocka_unit_test(
			   a_lost_answer_is_forgiven_for_a_minute_while_its_successor_is_unused),
		   cmocka_unit_test(
			   five_rotations_in_a_second_all_share_the_successor_for_ten_seconds),
		   cmocka_unit_test(a_window_is_never_stretched_by_the_spacing_of_marks),
		   cmocka_unit_test(a_generation_from_the_future_tells_of_an_old_database),
		   cmocka_unit_test(a_generation_that_never_was_ends_the_family),
		   cmocka_unit_test(ten_lost_answers_a_day_tell_the_person_and_revoke_nothing),
		   cmocka_unit_test(marks_survive_their_encoding));
}
