/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "crypto/key_service.h"
#include "crypto/keyring.h"

enum err keys_check(struct task *task, const struct keyring *keys)
{
	uint32_t missing = keys->missing;

	if (missing == 0)
		return OK;
	return failf(task, ERR_BUSY,
		     "root key %u, by which the database is sealed now, is not in this node's root "
		     "key file, or another key has its number there: copy the file from a node "
		     "that has it and restart grantd. Nothing is lost meanwhile",
		     missing);
}

static struct key_line *line_of(struct keyring *keys, unsigned thread)
{
	return &keys->lines[thread % keys->line_count];
}

static enum err refusal_of(struct task *task, const struct key_answer *answer)
{
	if (answer->err != OK)
		task_note(task, answer->err, answer->reason);
	return answer->err;
}

/* The one way to the holder. What it answers is task memory. */
enum err keyring_ask(struct task *task, struct keyring *keys, struct key_question *question,
		     struct key_answer *ret_answer)
{
	TRY(keys_check(task, keys));
	question->now = task->now;
	if (keys->holder != NULL)
		key_service_answer(task, keys->holder, question, ret_answer);
	else
		TRY(key_line_ask(task, line_of(keys, task->thread), question, ret_answer));
	return refusal_of(task, ret_answer);
}

enum err keyring_ask_text(struct task *task, struct keyring *keys, struct key_question *question,
			  struct str *ret_text)
{
	struct key_answer answer = { 0 };

	TRY(keyring_ask(task, keys, question, &answer));
	*ret_text = answer.text;
	return OK;
}

static enum err take_tag(struct task *task, struct str tag, uint8_t ret_tag[SHA256_LEN])
{
	if (tag.len != SHA256_LEN)
		return fail(task, ERR_INTERNAL, "a tag of another length");
	memcpy(ret_tag, tag.at, SHA256_LEN);
	return OK;
}

enum err keyring_ask_tag(struct task *task, struct keyring *keys, struct key_question *question,
			 uint8_t ret_tag[SHA256_LEN])
{
	struct str tag = STR_NONE;

	TRY(keyring_ask_text(task, keys, question, &tag));
	return take_tag(task, tag, ret_tag);
}

/* What an answer has: a text, and a tag where one is asked (NULL: it is not). */
static enum err take_both(struct task *task, const struct key_answer *answer, struct str *ret_text,
			  uint8_t *ret_tag)
{
	if (ret_tag != NULL)
		TRY(take_tag(task, answer->tag, ret_tag));
	*ret_text = answer->text;
	return OK;
}

enum err keyring_ask_both(struct task *task, struct keyring *keys, struct key_question *question,
			  struct str *ret_text, uint8_t *ret_tag)
{
	struct key_answer answer = { 0 };

	TRY(keyring_ask(task, keys, question, &answer));
	return take_both(task, &answer, ret_text, ret_tag);
}

/* --- asking with others --- */

static enum err answered(struct task *task, enum err result, void *arg)
{
	const struct asking *asking = arg;

	if (result == OK)
		result = refusal_of(task, &asking->answer);
	if (result == OK)
		result = take_both(task, &asking->answer, asking->ret_text, asking->ret_tag);
	return asking->then(task, result, asking->arg);
}

/* Whether the question was kept, to be asked with others. */
static bool gather(struct task *task, struct keyring *keys, struct asking *asking)
{
	struct key_waiting *waiting = &asking->waiting;

	if (keys->holder != NULL || keys_check(task, keys) != OK)
		return false;
	asking->question.now = task->now;
	*waiting = (struct key_waiting){ .task = task,
					 .ask = asking->question.ask,
					 .ret_answer = &asking->answer };
	return key_question_write(task, &asking->question, &waiting->frame) == OK &&
	       key_line_gather(line_of(keys, task->thread), waiting);
}

enum err keyring_ask_with_others(struct task *task, struct keyring *keys, const struct asking *plan)
{
	struct asking *asking = NEW(&task->arena, struct asking);

	*asking = *plan;
	if (gather(task, keys, asking))
		return task_park(task, answered, asking);
	return keyring_ask_both(task, keys, &asking->question, asking->ret_text, asking->ret_tag);
}

bool keys_ask_gathered(struct keyring *keys, unsigned thread)
{
	return keys->line_count > 0 && key_line_ask_gathered(line_of(keys, thread));
}
