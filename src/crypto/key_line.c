/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key_line.h"

#include <sched.h>
#include <stdlib.h>

#include "base/task.h"

void key_line_open(struct key_line *line, const struct key_channel *channel)
{
	*line = (struct key_line){ .channel = *channel, .far_core = -1 };
	if (pthread_mutex_init(&line->lock, NULL) != 0)
		abort();
}

void key_line_close(struct key_line *line)
{
	key_channel_close(&line->channel);
	(void)pthread_mutex_destroy(&line->lock);
}

void key_line_follow(struct key_line *line, int far_thread)
{
	line->far_thread = far_thread;
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

static enum err exchange(struct task *task, struct key_line *line, struct str frame,
			 struct str *ret_message)
{
	if (line->channel.to < 0)
		return fail(task, ERR_IO, "the key channel is broken");
	bring_near(line);
	TRY(key_channel_send(task, &line->channel, frame));
	return key_channel_receive(task, &line->channel, ret_message);
}

enum err key_line_ask(struct task *task, struct key_line *line, const struct key_question *question,
		      struct key_answer *ret_answer)
{
	struct str frame = STR_NONE, message = STR_NONE;
	enum err err;

	TRY(key_question_write(task, question, &frame));
	(void)pthread_mutex_lock(&line->lock);
	err = exchange(task, line, frame, &message);
	/* keyd ends when a channel does, and grantd with it: else its thread refused for ever */
	if (err != OK)
		key_channel_close(&line->channel);
	(void)pthread_mutex_unlock(&line->lock);
	if (err == OK)
		err = key_answer_read(task, question->ask, message, ret_answer);
	if (err != OK)
		return fail(task, ERR_BUSY, "the key process is gone");
	return OK;
}
