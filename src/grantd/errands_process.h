/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the errands process: what it does when it is asked, and what it refuses. */
#pragma once

#include <sys/types.h>

#include "config/config.h"
#include "grantd/errands.h"

struct errands_order {
	const struct config_source *source;
	const struct config *config;	/* as at the start */
	const struct named_file *named; /* the files that it names */
	int files;			/* its own ends */
	int commands;
	pid_t parent;
};

/* Called in the child right after the fork. Ends the process. */
_Noreturn void errands_process_run(struct task *task, const struct errands_order *order);
