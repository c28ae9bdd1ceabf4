/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "http/data.h"

static struct str printed(struct task *task, const struct data *value)
{
	struct str text = STR_NONE;

	CHECK_ERR(data_print(task, value, 4096, &text), OK);
	return text;
}

#define PRINTS(task, value, expected) CHECK_STR(printed(task, value), STR(expected))

static void members_and_items_come_in_their_order(void **state)
{
	struct task *task = *state;
	struct data *object = data_new_object(&task->arena);
	struct data *list = data_array(object, "list");

	data_str(object, "text", STR("a \"word\""));
	data_int(object, "number", -7);
	data_true(data_object(object, "inner"), "yes");
	data_item_str(list, STR("one"));
	data_str(data_item(list), "name", STR("two"));
	PRINTS(task, object,
	       "{\"list\":[\"one\",{\"name\":\"two\"}],\"text\":\"a \\\"word\\\"\",\"number\":-7,"
	       "\"inner\":{\"yes\":true}}");
	CHECK(data_count(list) == 2 && data_count(object) == 4);
	CHECK_STR(data_get_str(data_next(data_first(list)), "name"), STR("two"));
	CHECK(data_last(list) == data_next(data_first(list)));
}

static void a_member_that_is_set_again_is_replaced_where_it_stands(void **state)
{
	struct task *task = *state;
	struct data *object = data_new_object(&task->arena);

	data_str(object, "a", STR("1"));
	data_str(object, "b", STR("2"));
	data_int(object, "a", 3);
	PRINTS(task, object, "{\"a\":3,\"b\":\"2\"}");
	data_str(data_object(object, "b"), "c", STR("4"));
	PRINTS(task, object, "{\"a\":3,\"b\":{\"c\":\"4\"}}");
}

static void what_is_removed_is_gone_and_others_follow(void **state)
{
	struct task *task = *state;
	struct data *object = data_new_object(&task->arena);
	struct data *list = data_array(object, "list");

	data_true(object, "b");
	data_remove(object, "none");
	data_remove_last(list);
	data_item_str(list, STR("one"));
	data_item_str(list, STR("two"));
	data_remove_last(list);
	data_item_str(list, STR("three"));
	PRINTS(task, object, "{\"list\":[\"one\",\"three\"],\"b\":true}");
	data_remove(object, "b");
	data_int(object, "c", 1);
	data_remove(object, "list");
	PRINTS(task, object, "{\"c\":1}");
	data_remove(object, "c");
	data_int(object, "d", 2);
	PRINTS(task, object, "{\"d\":2}");
}

static void what_is_shared_stands_in_both_places(void **state)
{
	struct task *task = *state;
	struct data *one = data_new_object(&task->arena), *other = data_new_object(&task->arena);
	struct data *list = data_array(one, "list");

	data_item_str(list, STR("word"));
	data_item_str(list, STR("more"));
	data_share(other, "same", list);
	data_items_share(data_array(other, "all"), list);
	data_item_share(data_get(other, STR("all")), one);
	PRINTS(task, other,
	       "{\"same\":[\"word\",\"more\"],\"all\":[\"word\",\"more\",{\"list\":[\"word\","
	       "\"more\"]}]}");
	PRINTS(task, one, "{\"list\":[\"word\",\"more\"]}");
}

static void text_is_copied_and_what_is_no_text_left_out(void **state)
{
	struct task *task = *state;
	struct data *object = data_new_object(&task->arena);
	char word[] = "before";

	data_str(object, "word", str_from_c(word));
	word[0] = 'X';
	data_str(object, "bad", STR("\xC3("));
	data_str(object, "absent", STR_NONE);
	PRINTS(task, object, "{\"word\":\"before\",\"bad\":\"\",\"absent\":\"\"}");
}

static void what_was_parsed_is_the_same_and_needs_it_no_more(void **state)
{
	static const char text[] = "{\"a\":[1,\"x\",{\"b\":true}],\"c\":{},\"d\":\"\",\"e\":[]}";
	struct task *task = *state;
	struct data *copy;
	json_t *parsed = NULL;

	CHECK_ERR(json_parse(task, str_from_c(text), sizeof(text), &parsed), OK);
	copy = data_of_json(&task->arena, parsed);
	json_unref(&parsed);
	CHECK_STR(printed(task, copy), str_from_c(text));
	CHECK(!data_is_something(data_of_json(&task->arena, NULL)));
}

static void nothing_zero_and_what_is_empty_is_not_something(void **state)
{
	struct task *task = *state;
	json_t *parsed = NULL;
	const struct data *value;

	CHECK_ERR(json_parse(task,
			     STR("{\"no\":[false,null,0,\"\",[],1.5],\"yes\":[true,-1,\"x\",[0],"
				 "{}]}"),
			     100, &parsed),
		  OK);
	value = data_of_json(&task->arena, parsed);
	json_unref(&parsed);
	for (const struct data *no = data_first(data_get(value, STR("no"))); no != NULL;
	     no = data_next(no))
		CHECK(!data_is_something(no));
	for (const struct data *yes = data_first(data_get(value, STR("yes"))); yes != NULL;
	     yes = data_next(yes))
		CHECK(data_is_something(yes));
	CHECK(data_count(data_get(value, STR("no"))) == 6);
}

static void looking_into_nothing_finds_nothing(void **state)
{
	struct task *task = *state;
	struct data *list = data_new_array(&task->arena);

	data_item_str(list, STR("x"));
	for (int i = 0; i < 2; i++) {
		const struct data *value = i == 0 ? NULL : data_first(list);

		CHECK(data_get(value, STR("a")) == NULL && data_first(value) == NULL);
		CHECK(data_last(value) == NULL && data_next(value) == NULL);
		CHECK(data_count(value) == 0);
		CHECK(data_get_str(value, "a").at == NULL && !data_is_array(value));
	}
	CHECK(data_get(list, STR("a")) == NULL);
	CHECK(data_text(list).at == NULL);
	CHECK(data_text(NULL).at == NULL && !data_is_something(NULL));
}

static void what_does_not_fit_is_not_printed(void **state)
{
	struct task *task = *state;
	struct data *list = data_new_array(&task->arena);
	struct str text;

	data_item_str(list, STR("0123456789"));
	CHECK_ERR(data_print(task, list, 14, &text), OK);
	CHECK_ERR(data_print(task, list, 13, &text), ERR_TOO_LARGE);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, check_task_begin, check_task_end)

int main(void)
{
	return RUN(CASE(members_and_items_come_in_their_order),
		   CASE(a_member_that_is_set_again_is_replaced_where_it_stands),
		   CASE(what_is_removed_is_gone_and_others_follow),
		   CASE(what_is_shared_stands_in_both_places),
		   CASE(text_is_copied_and_what_is_no_text_left_out),
		   CASE(what_was_parsed_is_the_same_and_needs_it_no_more),
		   CASE(nothing_zero_and_what_is_empty_is_not_something),
		   CASE(looking_into_nothing_finds_nothing),
		   CASE(what_does_not_fit_is_not_printed));
}
