/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The errands process: a child that does for the process that faces the network what that one may
 * not do itself. It opens files of the installation to be read, but for the root key; it writes
 * files of DIR/resources, but none that names a command or a file outside of DIR which was not
 * there before; and it runs the commands of on_stop, as they were at the start or as it has read
 * them itself when they were taken up. So whoever takes over the other process has no program run
 * but those that the operator wrote down. It is forked first of all, and stays outside of the
 * sandbox, for what a command needs is the operator's affair.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "config/config.h"
#include "grantd/stop_command.h"

struct errand_line {
	int socket;
	pthread_mutex_t lock; /* one question at a time */
};

/* A file that was opened for the configuration. */
struct named_file {
	struct str path;
	struct named_file *next;
};

struct errands {
	struct arena arena;
	struct named_file *named;
	pid_t pid; /* 0: there is none */
	struct errand_line files;
	struct errand_line commands; /* which take long */
};

/* config_load, which notes the files that it names: those may be opened over there as well. */
MUST_CHECK enum err errands_load(struct task *task, const struct config_source *source,
				 struct errands *errands, const struct config **ret_config);
/*
 * Starts it, with what was loaded. From then on files that this process may not open itself are
 * opened over there. ERR_INTERNAL when no process can be made.
 */
MUST_CHECK enum err errands_start(struct task *task, const struct config_source *source,
				  const struct config *config, struct errands *errands);
/*
 * A reload has three steps: it looks at the configuration, and knows the files that are named now;
 * this process takes it up; then it does. ERR_CONFIG: what is wrong with it; ERR_BUSY: it is gone.
 */
MUST_CHECK enum err errands_look(struct task *task, struct errands *errands);
MUST_CHECK enum err errands_take_up(struct task *task, struct errands *errands);
/* ERR_CONFIG and others with the reason, as of the file's own functions; ERR_BUSY: it is gone. */
MUST_CHECK enum err errands_put_resource(struct task *task, void *errands, struct str name,
					 struct str text);
MUST_CHECK enum err errands_remove_resource(struct task *task, void *errands, struct str name);
/* The last one of the two. */
MUST_CHECK enum err errands_undo_resource(struct task *task, void *errands);
MUST_CHECK enum err errands_stop_command(struct task *task, void *errands,
					 const struct stop_names *names);
/* Waits for its end; it is not given long. */
void errands_stop(struct errands *errands);
