/* SPDX-License-Identifier: Apache-2.0 */
/* The network process's side: starting keyd, noticing its end, ending it. */
#include "grantd/keyd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/keys.h"
#include "grantd/keyd_process.h"
#include "grantd/process.h"

/* For an end that was asked for; then it is made to end. */
#define STOP_MS 2000

static void close_all(struct key_channel *channels, size_t count)
{
	for (size_t i = 0; i < count; i++)
		key_channel_close(&channels[i]);
}

/* Two ends that lead to each other. */
static enum err make_channel(struct task *task, struct key_channel *ours,
			     struct key_channel *theirs)
{
	int there[2], back[2];

	if (pipe2(there, O_CLOEXEC) != 0)
		return failf(task, ERR_INTERNAL, "no pipe to the key process: %s",
			     strerrordesc_np(errno));
	*ours = (struct key_channel){ .from = -1, .to = there[1] };
	*theirs = (struct key_channel){ .from = there[0], .to = -1 };
	if (pipe2(back, O_CLOEXEC) != 0)
		return failf(task, ERR_INTERNAL, "no pipe to the key process: %s",
			     strerrordesc_np(errno));
	ours->from = back[0];
	theirs->to = back[1];
	return OK;
}

static enum err make_channels(struct task *task, struct keyd *keyd, struct key_channel *theirs)
{
	for (size_t i = 0; i < keyd->channel_count; i++)
		keyd->channels[i] = theirs[i] = (struct key_channel){ .from = -1, .to = -1 };
	for (size_t i = 0; i < keyd->channel_count; i++)
		TRY(make_channel(task, &keyd->channels[i], &theirs[i]));
	return OK;
}

static enum err make_process(struct task *task, const struct config *config, struct keyd *keyd,
			     const struct key_channel *theirs)
{
	struct keyd_order order = {
		.root_file = config->root_key_file,
		.issuer = config->issuer,
		.channels = theirs,
		.channel_count = keyd->channel_count,
		.parent = getpid(),
		.is_walled = config->sandbox,
	};
	pid_t pid = fork();

	if (pid == 0)
		keyd_process_run(task, &order);
	if (pid < 0)
		return failf(task, ERR_INTERNAL, "the key process cannot be started: %s",
			     strerrordesc_np(errno));
	keyd->pid = pid;
	return OK;
}

enum err keyd_start(struct task *task, struct arena *arena, const struct config *config,
		    unsigned threads, struct keyd *ret_keyd)
{
	struct keyd keyd = {
		.channels = NEW_ARRAY(arena, struct key_channel, threads),
		.channel_count = threads,
	};
	struct key_channel *theirs = NEW_ARRAY(arena, struct key_channel, threads);
	enum err err = make_channels(task, &keyd, theirs);

	if (err == OK)
		err = make_process(task, config, &keyd, theirs);
	close_all(theirs, threads);
	if (err != OK)
		close_all(keyd.channels, threads);
	else
		*ret_keyd = keyd;
	return err;
}

enum err keyd_connect(struct task *task, struct keyd *keyd, struct keyring **ret_keys)
{
	size_t count = keyd->channel_count;

	keyd->channel_count = 0;
	return keys_connect(task, keyd->channels, count, ret_keys);
}

void keyd_stop(struct keyd *keyd)
{
	close_all(keyd->channels, keyd->channel_count);
	keyd->channel_count = 0;
	process_end(&keyd->pid, STOP_MS);
}
