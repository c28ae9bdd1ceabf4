/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keyd is asked, by whoever took the network process over: read, answered by a real key
 * holder, and the answer read as the network process reads it. What is accepted has one spelling
 * only, and no answer holds the root key. The bytes are read as an answer of each kind as well.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/holder_private.h"
#include "crypto/key_service.h"

#define LENGTH_BYTES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t no_time(void *context)
{
	(void)context;
	return 0;
}

static struct clock no_clock = { .read_wall = no_time };

static void must(enum err err)
{
	if (err != OK)
		abort();
}

static struct key_service *service(void)
{
	static struct key_service only;
	char folder[] = "/tmp/grantd-fuzz-XXXXXX";
	struct str file;
	struct task task;

	if (only.holder != NULL)
		return &only;
	if (mkdtemp(folder) == NULL)
		abort();
	task_begin(&task, &no_clock, NULL);
	file = STR_JOIN(&task.arena, str_from_c(folder), STR("/root.key"));
	must(keys_create_root(&task, file));
	must(holder_open(&task, file, STR("https://grantd.example"), &only.holder));
	(void)unlink(file.at);
	(void)rmdir(folder);
	task_end(&task);
	return &only;
}

/* Half a second of arithmetic is no use to a fuzzer. */
static bool is_slow(const struct key_question *question)
{
	return question->ask == KEY_GENERATE && question->number == ALG_RS256;
}

static void check_answer(struct task *task, enum key_ask ask, struct str frame)
{
	struct str root = root_bytes(root_current(service()->holder)), again = STR_NONE;
	struct key_answer answer = { 0 };

	if (memmem(frame.at, frame.len, root.at, root.len) != NULL)
		abort();
	must(key_answer_read(task, ask, str_from(frame, LENGTH_BYTES), &answer));
	must(key_answer_write(task, ask, &answer, &again));
	if (!str_equals(frame, again))
		abort();
}

static void read_question(struct task *task, struct str message)
{
	struct key_question question = { 0 };
	struct str frame = STR_NONE;

	if (key_question_read(task, message, &question) != OK)
		return;
	must(key_question_write(task, &question, &frame));
	if (!str_equals(str_from(frame, LENGTH_BYTES), message))
		abort();
	if (is_slow(&question))
		return;
	must(key_service_message(task, service(), message, &frame));
	check_answer(task, question.ask, frame);
}

static void read_answer(struct task *task, enum key_ask ask, struct str message)
{
	struct key_answer answer = { 0 };
	struct str frame = STR_NONE;

	if (key_answer_read(task, ask, message, &answer) != OK)
		return;
	must(key_answer_write(task, ask, &answer, &frame));
	if (!str_equals(str_from(frame, LENGTH_BYTES), message))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str message = { (const char *)data, size };
	struct task task;

	if (size > KEY_MESSAGE_MAX - LENGTH_BYTES)
		return 0; /* the channel lets none through */
	task_begin(&task, &no_clock, NULL);
	read_question(&task, message);
	for (int ask = 0; ask < KEY_ASK_COUNT; ask++)
		read_answer(&task, (enum key_ask)ask, message);
	task_end(&task);
	return 0;
}
