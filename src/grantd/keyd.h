/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyd, the key process (DESIGN 6): a child that alone holds the root key, the signing keys and,
 * while a question takes, a person's key. It is forked before the network is touched and before any
 * thread, has no socket, opens no file once it has read the root key, and may make only the system
 * calls of keyd_filter.h. The two talk through pipes (crypto/key_channel.h); either one's end is
 * the other's.
 */
#pragma once

#include <sys/types.h>

#include "config/config.h"
#include "crypto/key_channel.h"

struct keyring;

struct keyd {
	pid_t pid;		      /* 0: there is none */
	struct key_channel *channels; /* ours, until keyd_connect hands them over */
	size_t channel_count;
};

/*
 * Starts it, with a channel for each of that many threads. What it says of the root key is heard by
 * keyd_connect. Lists are in arena memory. ERR_INTERNAL when no process can be made.
 */
MUST_CHECK enum err keyd_start(struct task *task, struct arena *arena, const struct config *config,
			       unsigned threads, struct keyd *ret_keyd);
/* The keyring that asks it, once. As keys_connect. */
MUST_CHECK enum err keyd_connect(struct task *task, struct keyd *keyd, struct keyring **ret_keys);
/* Waits for its end, after its keyring was freed; it is not given long. */
void keyd_stop(struct keyd *keyd);
