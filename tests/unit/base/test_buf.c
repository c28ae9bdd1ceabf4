/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <string.h>

#include "base/arena.h"
#include "check.h"

static int begin(void **state)
{
	static struct arena arena;

	*state = &arena;
	return 0;
}

static int end(void **state)
{
	arena_free(*state);
	return 0;
}

static void parts_follow_one_another_across_growth(void **state)
{
	struct buf buf = buf_in(*state, 100000);
	struct str text;

	for (int i = 0; i < 10000; i++)
		buf_add_char(&buf, (char)('a' + i % 26));
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK(text.len == 10000);
	for (size_t i = 0; i < 10000; i++)
		CHECK(text.at[i] == (char)('a' + i % 26));
	CHECK(text.at[10000] == '\0');
}

static void what_was_expected_takes_no_second_room(void **state)
{
	struct arena *arena = *state;
	struct buf buf = buf_in(arena, 4096);
	const char *at;

	buf_expect(&buf, 1000);
	at = buf.at;
	for (int i = 0; i < 1000; i++)
		buf_add_char(&buf, 'x');
	CHECK(buf.at == at && buf.len == 1000);
	buf_expect(&buf, 4097);
	CHECK(buf.at == at);
}

static void exactly_the_ceiling_fits(void **state)
{
	struct buf buf = buf_in(*state, 5);
	struct str text;

	buf_add(&buf, STR("abc"));
	buf_add_c(&buf, "de");
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("abcde"));
	CHECK(text.at[5] == '\0');
}

static void one_byte_more_is_too_large_and_writes_nothing(void **state)
{
	struct buf buf = buf_in(*state, 5);
	struct str text = STR("untouched");

	buf_add(&buf, STR("abc"));
	buf_add(&buf, STR("def"));
	CHECK_ERR(buf_finish(&buf, &text), ERR_TOO_LARGE);
	CHECK_STR(text, STR("untouched"));
}

static void a_marked_buffer_stays_marked_though_a_smaller_part_would_fit(void **state)
{
	struct buf buf = buf_in(*state, 5);
	struct str text;

	buf_add(&buf, STR("abcdef"));
	buf_add(&buf, STR("a"));
	CHECK_ERR(buf_finish(&buf, &text), ERR_TOO_LARGE);
	CHECK(buf.len == 0);
}

static void an_empty_buffer_is_an_empty_text_and_not_an_absent_one(void **state)
{
	struct buf buf = buf_in(*state, 0);
	struct str text = STR_NONE;

	buf_add(&buf, STR(""));
	buf_add(&buf, STR_NONE);
	buf_add_c(&buf, NULL);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK(text.at != NULL && text.len == 0 && text.at[0] == '\0');
	buf_add_char(&buf, 'x');
	CHECK_ERR(buf_finish(&buf, &text), ERR_TOO_LARGE);
}

static void it_goes_on_after_a_finish(void **state)
{
	struct buf buf = buf_in(*state, 1000);
	struct str text;

	CHECK_ERR(buf_finish(&buf, &text), OK);
	buf_add(&buf, STR("a"));
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("a"));
	buf_add(&buf, STR("b"));
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("ab"));
}

static void numbers_are_decimal_at_both_ends_of_their_range(void **state)
{
	struct buf buf = buf_in(*state, 1000);
	struct str text;

	buf_add_u64(&buf, 0);
	buf_add_char(&buf, ' ');
	buf_add_u64(&buf, UINT64_MAX);
	buf_add_char(&buf, ' ');
	buf_add_i64(&buf, INT64_MIN);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("0 18446744073709551615 -9223372036854775808"));
}

static void bytes_of_zero_are_kept(void **state)
{
	struct buf buf = buf_in(*state, 10);
	struct str text;

	buf_add(&buf, STR("a\0b"));
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("a\0b"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(TEST(parts_follow_one_another_across_growth),
		   TEST(what_was_expected_takes_no_second_room), TEST(exactly_the_ceiling_fits),
		   TEST(one_byte_more_is_too_large_and_writes_nothing),
		   TEST(a_marked_buffer_stays_marked_though_a_smaller_part_would_fit),
		   TEST(an_empty_buffer_is_an_empty_text_and_not_an_absent_one),
		   TEST(it_goes_on_after_a_finish),
		   TEST(numbers_are_decimal_at_both_ends_of_their_range),
		   TEST(bytes_of_zero_are_kept));
}
