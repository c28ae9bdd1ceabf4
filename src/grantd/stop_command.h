/* SPDX-License-Identifier: Apache-2.0 */
/* A resource's on_stop when it is a command: its words with the names filled in, run to its end. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct resource;
struct task;

/* Whom and what it is about. */
struct stop_names {
	struct str resource;
	struct str username;
	struct str client;
};

/* resource has a command. ERR_IO, ERR_TIMEOUT: it did not do it. */
MUST_CHECK enum err stop_command_run(struct task *task, const struct resource *resource,
				     const struct stop_names *names);
