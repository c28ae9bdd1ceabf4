/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_line.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/task.h"

#define GATHERED_MAX 49152
#define PIPE_MARGIN  8192

/*
 * How much may be gathered: less than the pipe takes, for who writes must not wait for a reader
 * that waits itself to have its answers read. A user of many pipes gets small ones (pipe(7)).
 */
static size_t room_of(const struct key_channel *channel)
{
	int size = fcntl(channel->to, F_GETPIPE_SZ);

	if (size < PIPE_MARGIN)
		return 0;
	return size - PIPE_MARGIN < GATHERED_MAX ? (size_t)(size - PIPE_MARGIN) : GATHERED_MAX;
}

void key_line_open(struct key_line *line, const struct key_channel *channel)
{
	*line = (struct key_line){ .channel = *channel, .far_core = -1, .room = room_of(channel) };
	if (pthread_mutex_init(&line->lock, NULL) != 0)
		abort();
}

void key_line_close(struct key_line *line)
{
	key_channel_close(&line->channel);
	(void)pthread_mutex_destroy(&line->lock);
}

/* While it sleeps this moves nothing: it says where the far thread will wake. */
static void bring_near(struct key_line *line)
{
	int core = sched_getcpu();
	cpu_set_t only;

	if (line->far_thread == 0 || core == line->far_core || core < 0 || core >= CPU_SETSIZE)
		return;
	CPU_ZERO(&only);
	CPU_SET((size_t)core, &only);
	/* not allowed everywhere; then it is slower, and nothing else */
	(void)sched_setaffinity(line->far_thread, sizeof(only), &only);
	line->far_core = core;
}

/* The answers to `waiting` and what follows it, in the order in which they were asked. */
static enum err receive_all(const struct key_line *line, struct key_waiting *waiting)
{
	/* half of what is nearest to the core, and written before it is read */
	NOT_CLEARED struct key_inbox inbox;

	for (inbox.begin = inbox.end = 0; waiting != NULL; waiting = waiting->next) {
		struct task *task = waiting->task;
		struct str message = STR_NONE;

		TRY(key_channel_receive(task, &line->channel, &inbox, &message));
		TRY(key_answer_read(task, waiting->ask, message, waiting->ret_answer));
		if (waiting->next == NULL && inbox.begin < inbox.end)
			return fail(task, ERR_SYNTAX, "an answer from keyd that nobody asked for");
	}
	return OK;
}

static enum err pass(struct task *task, const struct key_line *line, struct str frames,
		     struct key_waiting *waiting)
{
	TRY(key_channel_send(task, &line->channel, frames));
	return receive_all(line, waiting);
}

/* Who answers here is asked with what is asked first: a start need not wait for each line. */
static enum err meet(struct task *task, struct key_line *line, struct str frames,
		     struct key_waiting *waiting)
{
	struct key_question question = { .ask = KEY_HELLO };
	struct key_answer answer = { 0 };
	struct key_waiting hello = {
		.task = task, .ask = KEY_HELLO, .ret_answer = &answer, .next = waiting
	};

	TRY(key_question_write(task, &question, &hello.frame));
	TRY(pass(task, line, STR_JOIN(&task->arena, hello.frame, frames), &hello));
	line->has_met = true;
	line->far_thread = (int)answer.thread;
	return OK;
}

/* keyd ends when a channel does, and grantd with it: else its thread refused for ever. */
static enum err exchange(struct task *task, struct key_line *line, struct str frames,
			 struct key_waiting *waiting)
{
	enum err err;

	if (line->channel.to < 0)
		return fail(task, ERR_BUSY, "the key process is gone");
	bring_near(line);
	err = line->has_met ? pass(task, line, frames, waiting) : meet(task, line, frames, waiting);
	if (err == OK)
		return OK;
	key_channel_close(&line->channel);
	return fail(task, ERR_BUSY, "the key process is gone");
}

enum err key_line_ask(struct task *task, struct key_line *line, const struct key_question *question,
		      struct key_answer *ret_answer)
{
	struct key_waiting waiting = { .task = task,
				       .ask = question->ask,
				       .ret_answer = ret_answer };
	enum err err;

	TRY(key_question_write(task, question, &waiting.frame));
	(void)pthread_mutex_lock(&line->lock);
	err = exchange(task, line, waiting.frame, &waiting);
	(void)pthread_mutex_unlock(&line->lock);
	return err;
}

/* --- many at once --- */

bool key_line_gather(struct key_line *line, struct key_waiting *waiting)
{
	size_t gathered;
	bool is_kept;

	(void)pthread_mutex_lock(&line->lock);
	gathered = line->gathered + waiting->frame.len;
	is_kept = line->has_gatherer && pthread_equal(line->gatherer, pthread_self()) &&
		  gathered <= line->room;
	if (is_kept) {
		line->gathered = gathered;
		waiting->next = NULL;
		if (line->first == NULL)
			line->first = waiting;
		else
			line->last->next = waiting;
		line->last = waiting;
	}
	(void)pthread_mutex_unlock(&line->lock);
	return is_kept;
}

static struct str frames_of(const struct key_waiting *waiting, size_t len)
{
	char *at = arena_alloc(&waiting->task->arena, len);
	struct str frames = { at, len };

	for (; waiting != NULL; waiting = waiting->next) {
		memcpy(at, waiting->frame.at, waiting->frame.len);
		at += waiting->frame.len;
	}
	return frames;
}

/* Home: from then on the next may be gone, and others may ask. */
static void send_home(struct key_waiting *waiting, enum err result)
{
	while (waiting != NULL) {
		struct key_waiting *next = waiting->next;

		if (result != OK)
			task_note(waiting->task, result, STR("the key process is gone"));
		task_resume(waiting->task, result);
		waiting = next;
	}
}

bool key_line_ask_gathered(struct key_line *line)
{
	struct key_waiting *first;
	enum err err = OK;

	(void)pthread_mutex_lock(&line->lock);
	line->has_gatherer = true;
	line->gatherer = pthread_self();
	first = line->first;
	if (first != NULL)
		err = exchange(first->task, line, frames_of(first, line->gathered), first);
	line->first = line->last = NULL;
	line->gathered = 0;
	(void)pthread_mutex_unlock(&line->lock);
	send_home(first, err);
	return first != NULL;
}
