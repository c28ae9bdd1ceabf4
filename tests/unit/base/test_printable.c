/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/printable.h"

static const struct {
	struct str text;
	struct str shown;
} rows[] = {
	{ STR_INIT(""), STR_INIT("") },
	{ STR_INIT("Mail agent (v2)"), STR_INIT("Mail agent (v2)") },
	{ STR_INIT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xac"),
	  STR_INIT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\xac") },
	/* what clears a screen, rings, ends a line; DEL; NUL */
	{ STR_INIT("a\x1b[2Jb\x7f\r\n\a"), STR_INIT("a?[2Jb????") },
	{ STR_INIT("a\0b"), STR_INIT("a?b") },
	/* C1 as UTF-8: CSI and OSC of terminals that take eight bits */
	{ STR_INIT("\xc2\x9b"
		   "2J\xc2\x80\xc2\x9f\xc2\xa0"),
	  STR_INIT("?2J??\xc2\xa0") },
	/* the name that ends in "exe" reads as one that ends in "txt" */
	{ STR_INIT("\xe2\x80\xae"
		   "txt.exe"),
	  STR_INIT("?txt.exe") },
	{ STR_INIT("\xe2\x80\xa9\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa"),
	  STR_INIT("????\xe2\x81\xaa") },
	/* what nobody sees; the joiner of an emoji stays */
	{ STR_INIT("a\xd8\x9c\xe2\x80\x8b\xe2\x80\x8f\xe2\x81\xa0\xef\xbb\xbf"),
	  STR_INIT("a?????") },
	{ STR_INIT("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"),
	  STR_INIT("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb") },
	/* no UTF-8: a byte of C1 alone, an overlong ESC, a character cut off */
	{ STR_INIT("\x9b\xc0\x9b\xe2\x82"), STR_INIT("?????") },
};

static void what_would_steer_a_terminal_or_turn_a_name_round_becomes_a_question_mark(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_STR(str_printable(&arena, rows[i].text), rows[i].shown);
	arena_free(&arena);
}

static void a_text_is_printable_if_nothing_in_it_needs_to_be_replaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK(str_is_printable(rows[i].text) == str_equals(rows[i].text, rows[i].shown));
}

int main(void)
{
	return RUN(
		cmocka_unit_test(
			what_would_steer_a_terminal_or_turn_a_name_round_becomes_a_question_mark),
		cmocka_unit_test(a_text_is_printable_if_nothing_in_it_needs_to_be_replaced));
}
