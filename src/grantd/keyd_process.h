/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the key process: what it shuts itself in with, and how it answers. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "crypto/key_channel.h"

struct task;

struct keyd_order {
	struct str root_file;
	struct str issuer;
	const struct key_channel *channels; /* its own ends */
	size_t channel_count;
	pid_t parent;
	bool is_walled; /* the setting `sandbox`: files are shut by Landlock too */
};

/* Called in the child right after the fork. Ends the process. */
_Noreturn void keyd_process_run(struct task *task, const struct keyd_order *order);
