/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <string.h>

#include "base/arena.h"
#include "check.h"

static void equality_looks_at_all_bytes_and_the_length(void **state)
{
	(void)state;
	CHECK(str_equals(STR("a\0b"), STR("a\0b")));
	CHECK(!str_equals(STR("a\0b"), STR("a\0c")));
	CHECK(!str_equals(STR("a"), STR("ab")));
	CHECK(str_equals(STR_NONE, STR("")));
	CHECK(str_equals_nocase(STR("Bearer"), STR("bEARER")));
	CHECK(!str_equals_nocase(STR("Bearer"), STR("Beare")));
	/* only ASCII is folded: not the Kelvin sign, not '@' and '`', not '[' and '{' */
	CHECK(!str_equals_nocase(STR("k"), STR("\xE2\x84\xAA")));
	CHECK(!str_equals_nocase(STR("@"), STR("`")));
	CHECK(!str_equals_nocase(STR("["), STR("{")));
	CHECK(!str_equals_nocase(STR("\xC0"), STR("\xE0")));
}

static void prefixes_and_suffixes(void **state)
{
	(void)state;
	CHECK(str_starts_with(STR("abc"), STR("ab")));
	CHECK(str_starts_with(STR("abc"), STR("")));
	CHECK(str_starts_with(STR_NONE, STR("")));
	CHECK(!str_starts_with(STR("ab"), STR("abc")));
	CHECK(!str_starts_with(STR_NONE, STR("a")));
	CHECK(str_ends_with(STR("abc"), STR("bc")));
	CHECK(!str_ends_with(STR("bc"), STR("abc")));
	CHECK(str_ends_with(STR_NONE, STR("")));
}

static void order_is_that_of_unsigned_bytes(void **state)
{
	(void)state;
	CHECK(str_compare(STR("a"), STR("b")) < 0);
	CHECK(str_compare(STR("\x80"), STR("\x7f")) > 0);
	CHECK(str_compare(STR("a"), STR("ab")) < 0);
	CHECK(str_compare(STR("ab"), STR("a")) > 0);
	CHECK(str_compare(STR(""), STR_NONE) == 0);
	CHECK(str_compare(STR("a\0a"), STR("a\0b")) < 0);
}

static void a_search_finds_the_first_or_the_end(void **state)
{
	(void)state;
	CHECK(str_find(STR("a=b=c"), '=') == 1);
	CHECK(str_find(STR("abc"), '=') == 3);
	CHECK(str_find(STR_NONE, '=') == 0);
	CHECK(str_find(STR("ab\0c"), '\0') == 2);
	CHECK(!str_has(STR("abc"), '\0'));
	CHECK(str_has(STR("abc"), 'c'));
}

static void a_zero_byte_is_in_no_set_of_allowed_ones(void **state)
{
	(void)state;
	CHECK(str_only(STR("abcab"), "abc"));
	CHECK(str_only(STR(""), "abc"));
	CHECK(!str_only(STR("abd"), "abc"));
	CHECK(!str_only(STR("ab\0"), "abc"));
}

static const struct str texts[] = {
	STR_INIT(""),
	STR_INIT("plain"),
	STR_INIT("\x01\x7F"),
	STR_INIT("\xC2\x80 \xDF\xBF"),
	STR_INIT("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF"),
	STR_INIT("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"),
};

static const struct str no_texts[] = {
	STR_INIT("\0"),
	STR_INIT("a\0"),
	STR_INIT("\x80"),
	STR_INIT("\xBF"),
	STR_INIT("\xC0\xAF"), /* overlong '/' */
	STR_INIT("\xC1\xBF"),
	STR_INIT("\xE0\x80\xAF"), /* overlong '/' */
	STR_INIT("\xE0\x9F\xBF"),
	STR_INIT("\xF0\x80\x80\xAF"),
	STR_INIT("\xF0\x8F\xBF\xBF"),
	STR_INIT("\xC0\x80"),	      /* "modified UTF-8" zero */
	STR_INIT("\xED\xA0\x80"),     /* first surrogate */
	STR_INIT("\xED\xBF\xBF"),     /* last surrogate */
	STR_INIT("\xF4\x90\x80\x80"), /* above U+10FFFF */
	STR_INIT("\xF5\x80\x80\x80"),
	STR_INIT("\xFE"),
	STR_INIT("\xFF"),
	STR_INIT("\xC2"), /* cut short */
	STR_INIT("\xE2\x82"),
	STR_INIT("\xF0\x9F\x98"),
	STR_INIT("\xC2 "),
	STR_INIT("\xE2\x82 "),
	STR_INIT("\xE2 \x82"),
	STR_INIT("\xF0\x9F\x98 "),
};

static void text_is_well_formed_utf8_without_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		CHECK(str_is_text(texts[i]));
	for (size_t i = 0; i < COUNT_OF(no_texts); i++)
		CHECK(!str_is_text(no_texts[i]));
}

static void a_sequence_cut_by_the_slice_is_not_completed_from_behind_it(void **state)
{
	(void)state;
	CHECK(!str_is_text(str_sub(STR("\xE2\x82\xAC"), 0, 2)));
	CHECK(str_is_text(str_sub(STR("\xE2\x82\xAC"), 0, 3)));
}

static void a_slice_never_leaves_its_text(void **state)
{
	(void)state;
	CHECK_STR(str_sub(STR("abc"), 1, 1), STR("b"));
	CHECK_STR(str_sub(STR("abc"), 1, SIZE_MAX), STR("bc"));
	CHECK_STR(str_sub(STR("abc"), SIZE_MAX, SIZE_MAX), STR(""));
	CHECK_STR(str_from(STR("abc"), 4), STR(""));
	CHECK(str_sub(STR_NONE, 1, 1).at == NULL);
	CHECK(str_from(STR("abc"), 3).at != NULL);
}

static void trimming_takes_spaces_and_tabs_at_the_ends_only(void **state)
{
	(void)state;
	CHECK_STR(str_trim(STR(" \t a b\t ")), STR("a b"));
	CHECK_STR(str_trim(STR("\t \t")), STR(""));
	CHECK_STR(str_trim(STR("\na\r")), STR("\na\r"));
	CHECK_STR(str_trim(STR_NONE), STR(""));
}

static void parts_come_in_order_with_the_empty_ones(void **state)
{
	struct str rest = STR(",a,,b,"), part;

	(void)state;
	CHECK(str_next(&rest, ',', &part));
	CHECK_STR(part, STR(""));
	CHECK(str_next(&rest, ',', &part));
	CHECK_STR(part, STR("a"));
	CHECK(str_next(&rest, ',', &part));
	CHECK_STR(part, STR(""));
	CHECK(str_next(&rest, ',', &part));
	CHECK_STR(part, STR("b"));
	CHECK(str_next(&rest, ',', &part));
	CHECK_STR(part, STR(""));
	CHECK(!str_next(&rest, ',', &part));
}

static void an_empty_list_has_one_empty_part_and_an_absent_one_none(void **state)
{
	struct str empty = STR(""), absent = STR_NONE, part;

	(void)state;
	CHECK(str_next(&empty, ',', &part));
	CHECK(!str_next(&empty, ',', &part));
	CHECK(!str_next(&absent, ',', &part));
}

static const struct {
	struct str text;
	uint64_t max;
	bool is_number;
	uint64_t value;
} numbers[] = {
	{ STR_INIT("0"), 9, true, 0 },
	{ STR_INIT("9"), 9, true, 9 },
	{ STR_INIT("10"), 9, false, 0 },
	{ STR_INIT("18446744073709551615"), UINT64_MAX, true, UINT64_MAX },
	{ STR_INIT("18446744073709551616"), UINT64_MAX, false, 0 },
	{ STR_INIT("99999999999999999999999"), UINT64_MAX, false, 0 },
	{ STR_INIT(""), 9, false, 0 },
	{ STR_INIT("00"), 9, false, 0 },
	{ STR_INIT("01"), 9, false, 0 },
	{ STR_INIT("+1"), 9, false, 0 },
	{ STR_INIT("-1"), UINT64_MAX, false, 0 },
	{ STR_INIT(" 1"), 9, false, 0 },
	{ STR_INIT("1 "), 9, false, 0 },
	{ STR_INIT("1\0"), 9, false, 0 },
	{ STR_INIT("0x1"), 99, false, 0 },
	{ STR_INIT("1e1"), 99, false, 0 },
	{ STR_INIT("\xD9\xA1"), 99, false, 0 }, /* an Arabic-Indic one */
};

static void numbers_are_plain_digits_within_their_bound(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		uint64_t value = 77;

		CHECK(str_to_u64(numbers[i].text, numbers[i].max, &value) == numbers[i].is_number);
		CHECK(value == (numbers[i].is_number ? numbers[i].value : 77));
	}
}

static void copies_and_joins_end_with_a_zero_that_does_not_count(void **state)
{
	struct arena arena = { 0 };
	struct str copy = str_copy(&arena, STR("a\0b"));
	struct str joined = STR_JOIN(&arena, STR("a"), STR_NONE, STR(""), STR("bc"));

	(void)state;
	CHECK_STR(copy, STR("a\0b"));
	CHECK(copy.at[3] == '\0');
	CHECK_STR(joined, STR("abc"));
	CHECK(joined.at[3] == '\0');
	CHECK(str_copy(&arena, STR_NONE).at != NULL);
	CHECK(strcmp(str_to_c(&arena, str_sub(STR("abc"), 0, 2)), "ab") == 0);
	CHECK(str_from_c(NULL).at == NULL);
	arena_free(&arena);
}

static int first_of(int precision, const char *at)
{
	return at == NULL ? -1 : precision;
}

static void printing_is_cut_at_its_bound_and_not_misled_by_huge_slices(void **state)
{
	struct arena arena = { 0 };
	char long_text[3000];
	struct str cut;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	cut = str_printf(&arena, "%.*s", STR_FMT(((struct str){ long_text, sizeof(long_text) })));
	CHECK(cut.len == 1023 && cut.at[1023] == '\0');
	/* a length above INT_MAX must not turn into "no precision" */
	CHECK(first_of(STR_FMT(((struct str){ long_text, SIZE_MAX }))) == 1024);
	CHECK_STR(str_printf(&arena, "%s", ""), STR(""));
	arena_free(&arena);
}

static void characters_of_a_scope_are_those_of_the_standard(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char one = (char)c;
		bool is_one = c >= 0x21 && c <= 0x7E && c != '"' && c != '\\';

		CHECK_ROW(str_is_nqchar((struct str){ &one, 1 }) == is_one, "character %d\n", c);
	}
	CHECK(str_is_nqchar(STR("mail.read:own/*")));
	CHECK(!str_is_nqchar(STR("mail read")));
}

static void hexadecimal_digits_have_values_and_others_none(void **state)
{
	static const char digits[] = "0123456789abcdef", capitals[] = "ABCDEF";

	(void)state;
	for (int i = 0; digits[i] != '\0'; i++)
		CHECK(str_hex_value(digits[i]) == i);
	for (int i = 0; capitals[i] != '\0'; i++)
		CHECK(str_hex_value(capitals[i]) == 10 + i);
	for (const char *c = "/:@`gG \xff"; *c != '\0'; c++)
		CHECK(str_hex_value(*c) == -1);
	CHECK(str_hex_value('\0') == -1);
}

int main(void)
{
	return RUN(cmocka_unit_test(equality_looks_at_all_bytes_and_the_length),
		   cmocka_unit_test(prefixes_and_suffixes),
		   cmocka_unit_test(order_is_that_of_unsigned_bytes),
		   cmocka_unit_test(a_search_finds_the_first_or_the_end),
		   cmocka_unit_test(a_zero_byte_is_in_no_set_of_allowed_ones),
		   cmocka_unit_test(text_is_well_formed_utf8_without_zero),
		   cmocka_unit_test(a_sequence_cut_by_the_slice_is_not_completed_from_behind_it),
		   cmocka_unit_test(a_slice_never_leaves_its_text),
		   cmocka_unit_test(trimming_takes_spaces_and_tabs_at_the_ends_only),
		   cmocka_unit_test(parts_come_in_order_with_the_empty_ones),
		   cmocka_unit_test(an_empty_list_has_one_empty_part_and_an_absent_one_none),
		   cmocka_unit_test(numbers_are_plain_digits_within_their_bound),
		   cmocka_unit_test(copies_and_joins_end_with_a_zero_that_does_not_count),
		   cmocka_unit_test(printing_is_cut_at_its_bound_and_not_misled_by_huge_slices),
		   cmocka_unit_test(characters_of_a_scope_are_those_of_the_standard),
		   cmocka_unit_test(hexadecimal_digits_have_values_and_others_none));
}
