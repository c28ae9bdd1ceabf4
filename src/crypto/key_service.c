/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"

static struct str tag_text(struct task *task, const uint8_t tag[SHA256_LEN])
{
	return str_copy(&task->arena, (struct str){ (const char *)tag, SHA256_LEN });
}

static enum err hello(struct task *task, struct key_holder *holder,
		      const struct key_question *question, struct key_answer *answer)
{
	(void)question;
	answer->number = holder_root_number(holder);
	answer->thread = (uint32_t)gettid();
	answer->roots = holder_roots(&task->arena, holder, &answer->root_count);
	return OK;
}

static enum err generate(struct task *task, struct key_holder *holder,
			 const struct key_question *question, struct key_answer *answer)
{
	answer->records = NEW(&task->arena, struct key_record);
	answer->record_count = 1;
	return holder_generate(task, holder, question->purpose, (enum alg)question->number,
			       answer->records);
}

static enum err load(struct task *task, struct key_holder *holder,
		     const struct key_question *question, struct key_answer *answer)
{
	answer->record_count = question->record_count;
	return holder_load(task, holder, question->records, question->record_count,
			   &answer->records);
}

static enum err sign(struct task *task, struct key_holder *holder,
		     const struct key_question *question, struct key_answer *answer)
{
	return holder_sign_jwt(task, holder, question->purpose, question->typ, question->text,
			       &answer->text);
}

static enum err mac(struct task *task, struct key_holder *holder,
		    const struct key_question *question, struct key_answer *answer)
{
	uint8_t tag[SHA256_LEN];

	TRY(holder_mac(task, holder, (enum mac_label)question->number, question->text, tag));
	answer->text = tag_text(task, tag);
	return OK;
}

static enum err mac_refresh(struct task *task, struct key_holder *holder,
			    const struct key_question *question, struct key_answer *answer)
{
	uint8_t tag[SHA256_LEN];

	TRY(holder_mac_refresh(task, holder, question->number, question->wrapped, question->text,
			       tag));
	answer->text = tag_text(task, tag);
	return OK;
}

static enum err check_presented(struct task *task, struct key_holder *holder,
				const struct key_question *question)
{
	uint8_t tag[SHA256_LEN];

	TRY(holder_mac_refresh(task, holder, question->presented_number, question->wrapped,
			       question->presented_input, tag));
	if (!secret_equals((struct str){ (const char *)tag, sizeof(tag) }, question->presented_tag))
		return fail(task, ERR_TOKEN, "the presented tag is not ours");
	return OK;
}

static enum err issue(struct task *task, struct key_holder *holder,
		      const struct key_question *question, struct key_answer *answer)
{
	uint8_t tag[SHA256_LEN];

	if (question->presented_tag.at != NULL)
		TRY(check_presented(task, holder, question));
	TRY(sign(task, holder, question, answer));
	TRY(holder_mac_refresh(task, holder, question->number, question->wrapped, question->input,
			       tag));
	answer->tag = tag_text(task, tag);
	return OK;
}

static enum err new_user_key(struct task *task, struct key_holder *holder,
			     const struct key_question *question, struct key_answer *answer)
{
	return holder_new_user_key(task, holder, question->text, &answer->text);
}

static enum err seal(struct task *task, struct key_holder *holder,
		     const struct key_question *question, struct key_answer *answer)
{
	return holder_seal(task, holder, question->wrapped, &question->place, question->text,
			   &answer->text);
}

static enum err seal_and_mac(struct task *task, struct key_holder *holder,
			     const struct key_question *question, struct key_answer *answer)
{
	uint8_t tag[SHA256_LEN];

	TRY(holder_mac(task, holder, (enum mac_label)question->number, question->input, tag));
	answer->tag = tag_text(task, tag);
	return seal(task, holder, question, answer);
}

static enum err unseal(struct task *task, struct key_holder *holder,
		       const struct key_question *question, struct key_answer *answer)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };

	TRY(holder_unseal(task, holder, question->wrapped, &question->place, question->text,
			  &plain));
	answer->text = str_copy(&task->arena, secret_reveal(&plain)); /* wiped with the task */
	return OK;
}

static enum err use_root(struct task *task, struct key_holder *holder,
			 const struct key_question *question, struct key_answer *answer)
{
	(void)answer;
	return holder_use_root(task, holder, question->number);
}

static enum err rewrap_user_key(struct task *task, struct key_holder *holder,
				const struct key_question *question, struct key_answer *answer)
{
	return holder_rewrap_user_key(task, holder, question->text, question->wrapped,
				      &answer->text);
}

static enum err rewrap_signing_key(struct task *task, struct key_holder *holder,
				   const struct key_question *question, struct key_answer *answer)
{
	if (question->record_count != 1)
		return fail(task, ERR_CRYPTO, "one signing key at a time");
	return holder_rewrap_signing_key(task, holder, question->records, &answer->text);
}

static enum err (*const rows[KEY_ASK_COUNT])(struct task *task, struct key_holder *holder,
					     const struct key_question *question,
					     struct key_answer *answer) = {
	[KEY_HELLO] = hello,
	[KEY_GENERATE] = generate,
	[KEY_LOAD] = load,
	[KEY_SIGN] = sign,
	[KEY_MAC] = mac,
	[KEY_MAC_REFRESH] = mac_refresh,
	[KEY_ISSUE] = issue,
	[KEY_NEW_USER_KEY] = new_user_key,
	[KEY_SEAL] = seal,
	[KEY_SEAL_AND_MAC] = seal_and_mac,
	[KEY_UNSEAL] = unseal,
	[KEY_USE_ROOT] = use_root,
	[KEY_REWRAP_USER_KEY] = rewrap_user_key,
	[KEY_REWRAP_SIGNING_KEY] = rewrap_signing_key,
};

void key_service_answer(struct task *task, struct key_holder *holder,
			const struct key_question *question, struct key_answer *ret_answer)
{
	struct key_answer answer = { 0 };

	answer.err = rows[question->ask](task, holder, question, &answer);
	if (answer.err != OK)
		answer = (struct key_answer){ .err = answer.err, .reason = task->reason };
	*ret_answer = answer;
}

enum err key_service_message(struct task *task, const struct key_service *service,
			     struct str message, struct str *ret_frame)
{
	struct key_question question = { 0 };
	struct key_answer answer = { .err = service->refusal, .reason = service->reason };

	TRY(key_question_read(task, message, &question));
	task->now = question.now;
	if (service->holder != NULL)
		key_service_answer(task, service->holder, &question, &answer);
	return key_answer_write(task, question.ask, &answer, ret_frame);
}

struct desk {
	const struct key_service *service;
	const struct key_channel *channel;
	struct key_inbox inbox;
	struct key_outbox outbox;
};

/* All that is there, and then one write: who asks waits for the last answer of many anyhow. */
static enum err serve_one(struct task *task, struct desk *desk)
{
	struct str message = STR_NONE, frame = STR_NONE;

	TRY(key_channel_receive(task, desk->channel, &desk->inbox, &message));
	TRY(key_service_message(task, desk->service, message, &frame));
	TRY(key_outbox_add(task, desk->channel, &desk->outbox, frame));
	if (key_inbox_has_frame(&desk->inbox))
		return OK;
	return key_outbox_send(task, desk->channel, &desk->outbox);
}

/* All pages of a stack's large object are touched at once (-fstack-clash-protection). */
static struct desk *desk_new(const struct key_service *service, const struct key_channel *channel)
{
	struct desk *desk = malloc(sizeof(*desk));

	if (desk == NULL)
		abort();
	desk->service = service;
	desk->channel = channel;
	desk->inbox.begin = desk->inbox.end = desk->outbox.len = 0;
	return desk;
}

static void desk_free(struct desk **desk)
{
	explicit_bzero(*desk, sizeof(**desk));
	free(*desk);
	*desk = NULL;
}

/* Every question brings its own time, so that its holder needs no system call for it. */
static int64_t no_time(void *context)
{
	(void)context;
	return 0;
}

enum err key_service_run(const struct key_service *service, const struct key_channel *channel)
{
	struct clock clock = { .read_wall = no_time };
	CLEANUP(desk_free) struct desk *desk = desk_new(service, channel);
	enum err err;

	do {
		struct task task;

		task_begin(&task, &clock, NULL);
		err = serve_one(&task, desk);
		task_end(&task); /* wipes question and answer */
	} while (err == OK);
	return err == ERR_NOT_FOUND ? OK : err;
}
