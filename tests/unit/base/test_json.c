/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <string.h>

#include "base/task.h"
#include "check.h"

#define TEXT_MAX 100000

static const struct str accepted[] = {
	STR_INIT("{}"),
	STR_INIT("[]"),
	STR_INIT(" {\"a\" : [1, -0, 1.5e3, true, null, \"\\u00e9\\ud83d\\ude00\"]} \n"),
	STR_INIT("[9223372036854775807, -9223372036854775808]"),
	STR_INIT("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[\"]"),
	STR_INIT("[\"\xEF\xBF\xBF\"]"),
};

static const struct str refused[] = {
	STR_INIT("[8\0]"),
	STR_INIT(""),
	STR_INIT(" "),
	STR_INIT("null"), /* the root is an object or an array */
	STR_INIT("\"text\""),
	STR_INIT("1"),
	STR_INIT("{"),
	STR_INIT("{} {}"),
	STR_INIT("{}x"),
	STR_INIT("[]\0"),
	STR_INIT("{\"a\":1,\"a\":2}"),
	STR_INIT("{\"x\":{\"a\":1,\"b\":0,\"\\u0061\":2}}"),
	STR_INIT("[1,]"),
	STR_INIT("{\"a\":1,}"),
	STR_INIT("{'a':1}"),
	STR_INIT("{a:1}"),
	STR_INIT("[1] // words"),
	STR_INIT("[/* words */ 1]"),
	STR_INIT("\xEF\xBB\xBF{}"),
	STR_INIT("[\"\xC0\xAF\"]"),
	STR_INIT("[\"\xED\xA0\x80\"]"),
	STR_INIT("[\"\xFF\"]"),
	STR_INIT("[\"\\ud800\"]"),
	STR_INIT("[\"\\udc00\\ud800\"]"),
	STR_INIT("[\"\\u0000\"]"),
	STR_INIT("{\"a\\u0000b\":1}"),
	STR_INIT("[\"a\0b\"]"),
	STR_INIT("[\"a\nb\"]"),
	STR_INIT("[\"\\x41\"]"),
	STR_INIT("[1e400]"),
	STR_INIT("[-1e400]"),
	STR_INIT("[9223372036854775808]"),
	STR_INIT("[00]"),
	STR_INIT("[01]"),
	STR_INIT("[1.]"),
	STR_INIT("[.5]"),
	STR_INIT("[+1]"),
	STR_INIT("[0x10]"),
	STR_INIT("[NaN]"),
	STR_INIT("[Infinity]"),
	STR_INIT("[-]"),
	STR_INIT("[TRUE]"),
	STR_INIT("["),
	STR_INIT("]"),
	STR_INIT("[\"\\"),
	STR_INIT("[\""),
};

static void well_formed_texts_are_accepted(void **state)
{
	for (size_t i = 0; i < COUNT_OF(accepted); i++) {
		CLEANUP(json_unref) json_t *value = NULL;

		CHECK_ERR(json_parse(*state, accepted[i], TEXT_MAX, &value), OK);
		CHECK(value != NULL);
	}
}

static void what_is_not_strict_json_is_refused(void **state)
{
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		json_t *value = NULL;
		/* a copy of exactly this size, so that ASan sees a byte too far */
		struct str text = refused[i];
		char *exact = test_malloc(text.len + 1);

		memcpy(exact, text.at, text.len);
		exact[text.len] = '}';
		CHECK_ERR(json_parse(*state, (struct str){ exact, text.len }, TEXT_MAX, &value),
			  ERR_SYNTAX);
		CHECK(value == NULL);
		test_free(exact);
	}
}

static void a_text_above_the_bound_is_not_looked_at(void **state)
{
	json_t *value = NULL;

	CHECK_ERR(json_parse(*state, STR("[1]"), 2, &value), ERR_TOO_LARGE);
	CHECK_ERR(json_parse(*state, STR("[1]"), 3, &value), OK);
	json_unref(&value);
	CHECK(value == NULL);
	CHECK_ERR(json_parse(*state, STR_NONE, 3, &value), ERR_SYNTAX);
}

static struct str nested(struct task *task, size_t depth, char open, char close)
{
	struct buf buf = buf_in(&task->arena, TEXT_MAX);
	struct str text;

	for (size_t i = 0; i < depth; i++)
		buf_add(&buf,
			open == '{' && i + 1 < depth ? STR("{\"a\":") : ((struct str){ &open, 1 }));
	for (size_t i = 0; i < depth; i++)
		buf_add_char(&buf, close);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	return text;
}

static void depth_is_bounded_at_32(void **state)
{
	json_t *value = NULL;

	CHECK_ERR(json_parse(*state, nested(*state, 32, '[', ']'), TEXT_MAX, &value), OK);
	json_unref(&value);
	CHECK_ERR(json_parse(*state, nested(*state, 32, '{', '}'), TEXT_MAX, &value), OK);
	json_unref(&value);
	CHECK_ERR(json_parse(*state, nested(*state, 33, '[', ']'), TEXT_MAX, &value), ERR_SYNTAX);
	CHECK_ERR(json_parse(*state, nested(*state, 33, '{', '}'), TEXT_MAX, &value), ERR_SYNTAX);
	CHECK_ERR(json_parse(*state, nested(*state, 1000, '[', ']'), TEXT_MAX, &value), ERR_SYNTAX);
	CHECK(value == NULL);
}

/* jansson's own words end with what it stopped at; a provider's answer holds tokens. */
static void the_reason_of_a_refusal_does_not_repeat_the_text(void **state)
{
	struct task *task = *state;
	json_t *value = NULL;

	CHECK_ERR(json_parse(task, STR("{\"access_token\" \"s3cr3t-token\"}"), TEXT_MAX, &value),
		  ERR_SYNTAX);
	CHECK(strstr(str_to_c(&task->arena, task->reason), "s3cr3t") == NULL);
	CHECK(str_starts_with(task->reason, STR("line 1, column ")));
	CHECK_ERR(json_parse(task, STR("{\"s3cr3t\":1,\"s3cr3t\":2}"), TEXT_MAX, &value),
		  ERR_SYNTAX);
	CHECK(strstr(str_to_c(&task->arena, task->reason), "s3cr3t") == NULL);
}

static void a_member_is_found_by_its_exact_name_and_type_only(void **state)
{
	CLEANUP(json_unref) json_t *value = NULL;

	CHECK_ERR(json_parse(*state,
			     STR("{\"Scope\":\"a\",\"\\u017fcope\":\"b\",\"n\":1,\"e\":\"\"}"),
			     TEXT_MAX, &value),
		  OK);
	CHECK(json_get_str(value, "scope").at == NULL);
	CHECK(json_get_str(value, "n").at == NULL);
	CHECK(json_get_str(value, "e").at != NULL && json_get_str(value, "e").len == 0);
	CHECK(json_get_str(NULL, "e").at == NULL);
}

static void a_value_is_printed_compactly_in_its_order_up_to_a_bound(void **state)
{
	CLEANUP(json_unref) json_t *value = NULL;
	struct str text = STR("untouched");

	CHECK_ERR(json_parse(*state, STR("{ \"b\": [1, 2], \"a\": \"\\n\" }"), TEXT_MAX, &value),
		  OK);
	CHECK_ERR(json_print(*state, value, 19, &text), ERR_TOO_LARGE);
	CHECK_STR(text, STR("untouched"));
	CHECK_ERR(json_print(*state, value, 20, &text), OK);
	CHECK_STR(text, STR("{\"b\":[1,2],\"a\":\"\\n\"}"));
}

static void the_writer_sets_commas_and_nests(void **state)
{
	struct task *task = *state;
	struct buf buf = buf_in(&task->arena, TEXT_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text;

	json_open_object(&json);
	json_member_str(&json, "a", STR("x"));
	json_key(&json, "b");
	json_open_array(&json);
	json_add_int(&json, INT64_MIN);
	json_add_null(&json);
	json_open_object(&json);
	json_close(&json);
	json_open_array(&json);
	json_add_bool(&json, false);
	json_close(&json);
	json_add_raw(&json, STR("{\"raw\":1}"));
	json_close(&json);
	json_member_int(&json, "c", 7);
	json_member_bool(&json, "d", true);
	json_close(&json);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("{\"a\":\"x\",\"b\":[-9223372036854775808,null,{},[false],"
			    "{\"raw\":1}],\"c\":7,\"d\":true}"));
}

static void whatever_bytes_are_written_read_back_as_text(void **state)
{
	struct task *task = *state;
	char all[256 * 3];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)(i % 256 ^ i / 256 * 0x55);
	for (size_t from = 0; from + 16 <= sizeof(all); from += 7) {
		struct buf buf = buf_in(&task->arena, TEXT_MAX);
		struct json_writer json = json_write_to(&buf);
		CLEANUP(json_unref) json_t *value = NULL;
		struct str bytes = { all + from, 16 }, text;

		json_open_array(&json);
		json_add_str(&json, bytes);
		json_close(&json);
		CHECK_ERR(buf_finish(&buf, &text), OK);
		/* U+0000 is written escaped, which our own strict reader refuses */
		if (str_has(bytes, '\0'))
			continue;
		CHECK_ERR(json_parse(task, text, TEXT_MAX, &value), OK);
		CHECK(json_array_size(value) == 1);
		CHECK(!str_is_text(bytes) ||
		      str_equals(bytes, str_from_c(json_string_value(json_array_get(value, 0)))));
	}
}

static void a_text_cannot_leave_its_quotes(void **state)
{
	struct task *task = *state;
	struct buf buf = buf_in(&task->arena, TEXT_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text;

	json_open_array(&json);
	json_add_str(&json, STR("\",\"admin\":\"\\"));
	json_add_str(&json, STR("\xC3"));
	json_add_str(&json, STR("\xC3\xA9\x7F\x1F\xF0\x9F\x98"));
	json_add_str(&json, STR_NONE);
	json_close(&json);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text,
		  STR("[\"\\\",\\\"admin\\\":\\\"\\\\\",\"\xEF\xBF\xBD\",\"\xC3\xA9\\u007f\\u001f"
		      "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\",\"\"]"));
}

/* What stands between the quotes. */
static struct str quoted(struct task *task, struct str s)
{
	struct buf buf = buf_in(&task->arena, TEXT_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str text;

	json_open_array(&json);
	json_add_str(&json, s);
	json_close(&json);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	return str_sub(text, 2, text.len - 4);
}

/* A text is looked at in eights, and what is left one by one. */
static void a_byte_is_quoted_alike_wherever_it_stands(void **state)
{
	struct task *task = *state;

	for (int c = 0; c < 256; c++) {
		struct str alone = quoted(task, (struct str){ (char[]){ (char)c }, 1 });
		char text[] = "abcdefghi]~ !#[^_{}";
		struct str whole = { text, sizeof(text) - 1 };

		for (size_t at = 0; at < whole.len; at++) {
			char kept = text[at];

			text[at] = (char)c;
			CHECK_STR(quoted(task, whole), STR_JOIN(&task->arena, str_sub(whole, 0, at),
								alone, str_from(whole, at + 1)));
			text[at] = kept;
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, check_task_begin, check_task_end)

int main(void)
{
	return RUN(TEST(well_formed_texts_are_accepted), TEST(what_is_not_strict_json_is_refused),
		   TEST(a_text_above_the_bound_is_not_looked_at), TEST(depth_is_bounded_at_32),
		   TEST(the_reason_of_a_refusal_does_not_repeat_the_text),
		   TEST(a_byte_is_quoted_alike_wherever_it_stands),
		   TEST(a_member_is_found_by_its_exact_name_and_type_only),
		   TEST(a_value_is_printed_compactly_in_its_order_up_to_a_bound),
		   TEST(the_writer_sets_commas_and_nests),
		   TEST(whatever_bytes_are_written_read_back_as_text),
		   TEST(a_text_cannot_leave_its_quotes));
}
