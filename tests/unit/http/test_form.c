/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "http/form.h"

static void fields_are_decoded_once(void **state)
{
	struct form form;

	CHECK_ERR(form_parse(*state, STR("a=1+2%203&b=%2541&%63=J%C3%BCrgen&d"), &form), OK);
	CHECK(form.count == 4);
	CHECK_STR(form_get(&form, "a"), STR("1 2 3"));
	CHECK_STR(form_get(&form, "b"), STR("%41"));
	CHECK_STR(form_get(&form, "c"), STR("J\xC3\xBCrgen"));
	CHECK(form_get(&form, "d").at == NULL);
}

static void an_empty_value_is_absent(void **state)
{
	struct form form;

	CHECK_ERR(form_parse(*state, STR("code=&x=1&&"), &form), OK);
	CHECK(form_get(&form, "code").at == NULL);
	CHECK(form_count(&form, "code") == 0);
	CHECK(form_count(&form, "x") == 1);
	CHECK_ERR(form_parse(*state, STR_NONE, &form), OK);
	CHECK(form.count == 0);
}

static void what_is_not_form_encoding_is_refused(void **state)
{
	static const struct str bad[] = {
		STR_INIT("a=%zz"),
		STR_INIT("a=%"),
		STR_INIT("a=%2"),
		STR_INIT("a=%C0%80"),
		STR_INIT("a=%00"),
		STR_INIT("a=\0b"),
		STR_INIT("a=\xFF"),
		STR_INIT("a=b c"),
		STR_INIT("a=b\r\n"),
		STR_INIT("a=%ED%A0%80"),
		STR_INIT("%ff=1"),
		STR_INIT("\xEF\xBB\xBF"
			 "a=1"),
		STR_INIT("%EF%BB%BF"
			 "a=1"),
	};
	struct form form;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK_ERR(form_parse(*state, bad[i], &form), ERR_REQUEST);
}

static void a_hundred_fields_are_the_limit(void **state)
{
	struct task *task = *state;
	struct str parts[FORM_FIELDS_MAX + 1];
	struct form form;

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		parts[i] = STR("&a=1");
	CHECK_ERR(form_parse(task, str_join(&task->arena, parts, FORM_FIELDS_MAX), &form), OK);
	CHECK_ERR(form_parse(task, str_join(&task->arena, parts, COUNT_OF(parts)), &form),
		  ERR_REQUEST);
}

static void a_repeated_parameter_is_refused_unless_excepted(void **state)
{
	static const char *const except[] = { "resource", NULL };
	struct task *task = *state;
	struct form form;

	CHECK_ERR(form_parse(task, STR("resource=a&resource=b&x=1"), &form), OK);
	CHECK_ERR(form_check_single(task, &form, except), OK);
	CHECK_STR(form_get_nth(&form, "resource", 1), STR("b"));
	CHECK(form_get_nth(&form, "resource", 2).at == NULL);
	CHECK_ERR(form_check_single(task, &form, NULL), ERR_REQUEST);
	CHECK_STR(task->reason, STR("repeated parameter: resource"));
}

static void a_second_spelling_of_a_name_is_still_a_repetition(void **state)
{
	struct form form;

	CHECK_ERR(form_parse(*state, STR("code=1&c%6Fde=2"), &form), OK);
	CHECK_ERR(form_check_single(*state, &form, NULL), ERR_REQUEST);
	CHECK_ERR(form_parse(*state, STR("code=&code=2"), &form), OK);
	CHECK_ERR(form_check_single(*state, &form, NULL), ERR_REQUEST);
	CHECK_ERR(form_parse(*state, STR("code=1&Code=2"), &form), OK);
	CHECK_ERR(form_check_single(*state, &form, NULL), OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, check_task_begin, check_task_end)

int main(void)
{
	return RUN(TEST(fields_are_decoded_once), TEST(an_empty_value_is_absent),
		   TEST(what_is_not_form_encoding_is_refused), TEST(a_hundred_fields_are_the_limit),
		   TEST(a_repeated_parameter_is_refused_unless_excepted),
		   TEST(a_second_spelling_of_a_name_is_still_a_repetition));
}
