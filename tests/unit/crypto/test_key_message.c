/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_message.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define LENGTH_BYTES 4

static struct check_clock check_clock;

static int begin(void **state)
{
	struct task *task = calloc(1, sizeof(*task));

	assert_non_null(task);
	check_clock_start(&check_clock);
	task_begin(task, &check_clock.clock, NULL);
	*state = task;
	return 0;
}

static int end(void **state)
{
	task_end(*state);
	free(*state);
	return 0;
}

/* Every field filled, so that one that a kind does not carry would show. */
static struct key_question question_of(struct task *task, enum key_ask ask)
{
	struct key_record *records = NEW_ARRAY(&task->arena, struct key_record, 2);

	records[0] = (struct key_record){ .id = STR("kid"),
					  .purpose = STR("access"),
					  .alg = ALG_RS256,
					  .sealed = STR("a\0b"),
					  .created_at = -1,
					  .not_before = INT64_MAX,
					  .retire_at = INT64_MIN };
	records[1] = (struct key_record){ .id = STR("") };
	return (struct key_question){
		.ask = ask,
		.now = CHECK_NOW,
		.number = UINT32_MAX,
		.purpose = STR("resource:mail"),
		.typ = STR(""),
		.text = STR("text\0with a NUL"),
		.input = STR("input"),
		.presented_number = 9,
		.presented_input = STR("presented"),
		.presented_tag = STR("tag"),
		.wrapped = STR_NONE,
		.place = { STR("table"), STR("row"), STR("column"), STR_NONE, -5 },
		.records = records,
		.record_count = 2,
	};
}

static struct str written(struct task *task, enum key_ask ask)
{
	struct key_question question = question_of(task, ask);
	struct str frame = STR_NONE;

	CHECK_ERR(key_question_write(task, &question, &frame), OK);
	CHECK(frame.len > LENGTH_BYTES);
	return str_from(frame, LENGTH_BYTES);
}

static void a_question_of_every_kind_comes_back_as_it_was(void **state)
{
	struct task *task = *state;

	for (int ask = 0; ask < KEY_ASK_COUNT; ask++) {
		struct str message = written(task, (enum key_ask)ask), again = STR_NONE;
		struct key_question question = { 0 };

		CHECK_ERR(key_question_read(task, message, &question), OK);
		CHECK(question.ask == (enum key_ask)ask && question.now == CHECK_NOW);
		CHECK_ERR(key_question_write(task, &question, &again), OK);
		CHECK_STR(str_from(again, LENGTH_BYTES), message);
	}
}

static void absent_and_empty_texts_stay_two_things(void **state)
{
	struct task *task = *state;
	struct key_question question = { 0 };

	CHECK_ERR(key_question_read(task, written(task, KEY_SEAL), &question), OK);
	CHECK(question.wrapped.at == NULL && question.place.user_id.at == NULL);
	CHECK_STR(question.text, STR("text\0with a NUL"));
	CHECK(question.place.version == -5);
	CHECK_ERR(key_question_read(task, written(task, KEY_SIGN), &question), OK);
	CHECK(question.typ.at != NULL && question.typ.len == 0);
}

static void records_come_back_whole(void **state)
{
	struct task *task = *state;
	struct key_question question = { 0 };

	CHECK_ERR(key_question_read(task, written(task, KEY_LOAD), &question), OK);
	CHECK(question.record_count == 2);
	CHECK_STR(question.records[0].sealed, STR("a\0b"));
	CHECK(question.records[0].alg == ALG_RS256);
	CHECK(question.records[0].created_at == -1 && question.records[0].retire_at == INT64_MIN);
	CHECK(question.records[0].public_jwk.at == NULL && question.records[1].id.len == 0);
}

/* Each shortening, and a byte too many, of each kind. */
static void a_question_that_is_cut_or_too_long_is_refused(void **state)
{
	struct task *task = *state;

	for (int ask = 0; ask < KEY_ASK_COUNT; ask++) {
		struct str message = written(task, (enum key_ask)ask);
		struct key_question question = { 0 };

		for (size_t len = 0; len < message.len; len++)
			CHECK_ERR(key_question_read(task, str_sub(message, 0, len), &question),
				  ERR_SYNTAX);
		message = STR_JOIN(&task->arena, message, STR("\0"));
		CHECK_ERR(key_question_read(task, message, &question), ERR_SYNTAX);
		CHECK(question.now == 0);
	}
}

static void a_kind_that_does_not_exist_is_refused(void **state)
{
	struct task *task = *state;
	struct str message = written(task, KEY_HELLO);
	struct key_question question = { 0 };

	for (int ask = KEY_ASK_COUNT; ask < 256; ask++) {
		char *bytes = (char *)(uintptr_t)str_copy(&task->arena, message).at;

		bytes[0] = (char)ask;
		CHECK_ERR(key_question_read(task, (struct str){ bytes, message.len }, &question),
			  ERR_SYNTAX);
	}
}

/* The count of records stands behind the kind and the time; an algorithm behind two texts. */
static void numbers_out_of_their_range_are_refused(void **state)
{
	struct task *task = *state;
	struct str message = written(task, KEY_LOAD);
	char *bytes = (char *)(uintptr_t)str_copy(&task->arena, message).at;
	size_t alg = 1 + 8 + 4 + (4 + strlen("kid")) + (4 + strlen("access"));
	struct str changed = { bytes, message.len };
	struct key_question question = { 0 };

	CHECK_ERR(key_question_read(task, changed, &question), OK);
	CHECK(bytes[alg + 3] == ALG_RS256);
	bytes[alg + 3] = ALG_COUNT;
	CHECK_ERR(key_question_read(task, changed, &question), ERR_SYNTAX);
	bytes[alg + 3] = ALG_RS256;
	memset(bytes + 1 + 8, 0xFF, 4);
	CHECK_ERR(key_question_read(task, changed, &question), ERR_SYNTAX);
	memset(bytes + 1 + 8, 0, 2);
	memset(bytes + 1 + 10, 1, 2); /* KEY_RECORDS_MAX and one */
	CHECK_ERR(key_question_read(task, changed, &question), ERR_SYNTAX);
}

static void a_question_beyond_the_ceiling_is_not_written(void **state)
{
	struct task *task = *state;
	struct key_question question = {
		.ask = KEY_SEAL, .text = { arena_alloc(&task->arena, KEY_MESSAGE_MAX), 0 }
	};
	struct str frame = STR_NONE;

	question.text.len = KEY_MESSAGE_MAX - 256;
	CHECK_ERR(key_question_write(task, &question, &frame), OK);
	question.text.len = KEY_MESSAGE_MAX;
	frame = STR_NONE;
	CHECK_ERR(key_question_write(task, &question, &frame), ERR_TOO_LARGE);
	CHECK(frame.at == NULL);
}

static void an_answer_comes_back_and_a_refusal_carries_its_reason_only(void **state)
{
	struct task *task = *state;
	struct key_root root = { 3, STR("fingerprint") };
	struct key_answer answer = { .number = 3, .roots = &root, .root_count = 1 }, read = { 0 };
	struct str frame = STR_NONE;

	CHECK_ERR(key_answer_write(task, KEY_HELLO, &answer, &frame), OK);
	CHECK_ERR(key_answer_read(task, KEY_HELLO, str_from(frame, LENGTH_BYTES), &read), OK);
	CHECK(read.err == OK && read.number == 3);
	CHECK(read.root_count == 1 && read.roots[0].number == 3);
	CHECK_STR(read.roots[0].fingerprint, STR("fingerprint"));
	answer.err = ERR_CRYPTO;
	answer.reason = STR("because");
	CHECK_ERR(key_answer_write(task, KEY_HELLO, &answer, &frame), OK);
	CHECK_ERR(key_answer_read(task, KEY_HELLO, str_from(frame, LENGTH_BYTES), &read), OK);
	CHECK_ERR(read.err, ERR_CRYPTO);
	CHECK_STR(read.reason, STR("because"));
	CHECK(read.roots == NULL && read.number == 0);
}

static void an_answer_that_is_cut_is_refused(void **state)
{
	struct task *task = *state;
	struct key_root root = { 3, STR("fingerprint") };
	struct key_answer answer = { .number = 3, .roots = &root, .root_count = 1 }, read = { 0 };
	struct str frame = STR_NONE;

	CHECK_ERR(key_answer_write(task, KEY_HELLO, &answer, &frame), OK);
	for (size_t len = LENGTH_BYTES; len < frame.len; len++)
		CHECK_ERR(key_answer_read(task, KEY_HELLO,
					  str_sub(frame, LENGTH_BYTES, len - LENGTH_BYTES), &read),
			  ERR_SYNTAX);
}

static void more_root_keys_than_a_file_holds_are_no_answer(void **state)
{
	struct task *task = *state;
	struct key_root *roots = NEW_ARRAY(&task->arena, struct key_root, KEY_ROOTS_MAX + 1);
	struct key_answer answer = { .roots = roots, .root_count = KEY_ROOTS_MAX }, read = { 0 };
	struct str frame = STR_NONE;

	CHECK_ERR(key_answer_write(task, KEY_HELLO, &answer, &frame), OK);
	CHECK_ERR(key_answer_read(task, KEY_HELLO, str_from(frame, LENGTH_BYTES), &read), OK);
	CHECK(read.root_count == KEY_ROOTS_MAX);
	answer.root_count++;
	CHECK_ERR(key_answer_write(task, KEY_HELLO, &answer, &frame), OK);
	CHECK_ERR(key_answer_read(task, KEY_HELLO, str_from(frame, LENGTH_BYTES), &read),
		  ERR_SYNTAX);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(CASE(a_question_of_every_kind_comes_back_as_it_was),
		   CASE(absent_and_empty_texts_stay_two_things), CASE(records_come_back_whole),
		   CASE(a_question_that_is_cut_or_too_long_is_refused),
		   CASE(a_kind_that_does_not_exist_is_refused),
		   CASE(numbers_out_of_their_range_are_refused),
		   CASE(a_question_beyond_the_ceiling_is_not_written),
		   CASE(an_answer_comes_back_and_a_refusal_carries_its_reason_only),
		   CASE(an_answer_that_is_cut_is_refused),
		   CASE(more_root_keys_than_a_file_holds_are_no_answer));
}
