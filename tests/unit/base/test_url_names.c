/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/arena.h"
#include "base/url_domain.h"
#include "base/url_spoof.h"

static struct arena arena;

static int end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void what_somebody_registered_is_the_tail_of_a_host(void **state)
{
	static const struct {
		struct str host, domain;
	} rows[] = {
		{ STR_INIT("a.b.example.com"), STR_INIT("example.com") },
		{ STR_INIT("example.com"), STR_INIT("example.com") },
		{ STR_INIT("login.example.co.uk"), STR_INIT("example.co.uk") },
		/* a public suffix of its own: each below is somebody else */
		{ STR_INIT("evil.github.io"), STR_INIT("evil.github.io") },
		{ STR_INIT("xn--bcher-kva.example.com"), STR_INIT("example.com") },
		{ STR_INIT("www.xn--bcher-kva.com"), STR_INIT("xn--bcher-kva.com") },
		{ STR_INIT("com"), STR_INIT("com") },
		{ STR_INIT("localhost"), STR_INIT("localhost") },
		{ STR_INIT(""), STR_INIT("") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str domain = url_registrable_domain(&arena, rows[i].host);

		CHECK_STR(domain, rows[i].domain);
		CHECK(domain.at + domain.len == rows[i].host.at + rows[i].host.len);
	}
}

static void an_internationalised_host_is_decoded_to_be_looked_at(void **state)
{
	static const struct {
		struct str host, text;
		bool decodes;
	} rows[] = {
		{ STR_INIT("xn--bcher-kva.example"),
		  STR_INIT("b\xC3\xBC"
			   "cher.example"),
		  true },
		{ STR_INIT("XN--bcher-kva.example"),
		  STR_INIT("b\xC3\xBC"
			   "cher.example"),
		  true },
		{ STR_INIT("app.example"), STR_INIT("app.example"), true },
		{ STR_INIT("localhost"), STR_INIT("localhost"), true },
		{ STR_INIT("xn--\x01.example"), STR_INIT("xn--\x01.example"), false },
		/* a label that is none hides no other */
		{ STR_INIT("xn--zz.xn--bcher-kva.example"),
		  STR_INIT("xn--zz.b\xC3\xBC"
			   "cher.example"),
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str text = STR_NONE;
		bool decodes = url_host_unicode(&arena, rows[i].host, &text);

		CHECK_ROW(decodes == rows[i].decodes && str_equals(text, rows[i].text),
			  "%s: %.*s\n", rows[i].host.at, STR_FMT(text));
	}
}

static void letters_of_several_scripts_in_one_word_are_seen(void **state)
{
	static const struct {
		struct str name;
		bool is_mixed;
	} rows[] = {
		{ STR_INIT("Claude"), false },
		{ STR_INIT("Caf\xC3\xA9 42"), false },
		{ STR_INIT("\xD0\xAF\xD0\xBD\xD0\xB4\xD0\xB5\xD0\xBA\xD1\x81 Mail"), false },
		{ STR_INIT("LINE\xE3\x81\xAE\xE6\x97\xA5"), false },
		/* a Cyrillic a among Latin letters */
		{ STR_INIT("Cl\xD0\xB0ude"), true },
		{ STR_INIT("The Cl\xD0\xB0ude"), true },
		/* a Greek omicron */
		{ STR_INIT("G\xCE\xBFogle"), true },
		{ STR_INIT(""), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		CHECK_ROW(name_mixes_scripts(rows[i].name) == rows[i].is_mixed, "%s\n",
			  rows[i].name.at);
}

static bool look_alike(struct str one, struct str other)
{
	return str_equals(name_skeleton(&arena, one), name_skeleton(&arena, other));
}

static void names_that_are_taken_for_one_another_have_one_skeleton(void **state)
{
	(void)state;
	CHECK(look_alike(STR("Claude"), STR("claude")));
	CHECK(look_alike(STR("Claude"), STR("Cl\xD0\xB0ude")));
	CHECK(look_alike(STR("Claude Code"), STR("Claude-Code")));
	CHECK(look_alike(STR("Mail Agent"), STR("mailagent.")));
	/* all Cyrillic: no script is mixed */
	CHECK(look_alike(STR("cocoa"), STR("\xD1\x81\xD0\xBE\xD1\x81\xD0\xBE\xD0\xB0")));
	CHECK(look_alike(STR("modern"), STR("modem")));
	CHECK(!look_alike(STR("Claude"), STR("Cloude")));
	CHECK(!look_alike(STR("Mail Agent"), STR("Mail Agents")));
	CHECK(!look_alike(STR(""), STR("a")));
}

int main(void)
{
	return RUN(cmocka_unit_test_setup_teardown(what_somebody_registered_is_the_tail_of_a_host,
						   NULL, end),
		   cmocka_unit_test_setup_teardown(
			   an_internationalised_host_is_decoded_to_be_looked_at, NULL, end),
		   cmocka_unit_test_setup_teardown(letters_of_several_scripts_in_one_word_are_seen,
						   NULL, end),
		   cmocka_unit_test_setup_teardown(
			   names_that_are_taken_for_one_another_have_one_skeleton, NULL, end));
}
