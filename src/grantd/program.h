/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c took from the world outside, for the verbs: init, serve, check, restore, migrate. */
#pragma once

#include <stdbool.h>

#include "base/cli.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/task.h"
#include "config/config.h"

#define ENDED_FILES_MAX 99

struct program {
	struct clock clock;
	struct log log;
	struct config_source source; /* DIR and the environment */
	struct str notify_socket;    /* NOTIFY_SOCKET of sd_notify(3); STR_NONE */

	/* of init */
	struct str issuer;   /* STR_NONE: not given */
	struct str database; /* STR_NONE: not given */
	struct str root_key; /* a file to copy; STR_NONE: make one */
	bool shared_loopback_host;

	/* of restore */
	struct str from; /* STR_NONE: not given */
	struct str keys; /* STR_NONE: beside it */
	bool is_verify;
	bool is_json; /* of all: the outcome as one JSON object on stdout */
	/* of restore with PostgreSQL */
	struct str made_at;		   /* STR_NONE: not given */
	struct str nodes;		   /* how many; STR_NONE: not given */
	struct str ended[ENDED_FILES_MAX]; /* of other nodes */
	size_t ended_count;

	struct str number; /* of root-key; STR_NONE: not given */
	/* of check */
	bool is_sandbox;
};

/* Each prints its own outcome; the answer is the exit code. */
enum exit_code init_run(struct program *program);
enum exit_code serve_run(struct program *program);
enum exit_code check_run(struct program *program);
enum exit_code restore_run(struct program *program);
enum exit_code root_key_add_run(struct program *program);
enum exit_code root_key_list_run(struct program *program);
enum exit_code root_key_retire_run(struct program *program);
enum exit_code upgrade_run(struct program *program);

/* One JSON object on a line of stdout: members are written to json between the two. Task memory. */
#define SAID_MAX ((size_t)1024 * 1024)

struct said {
	struct buf text;
	struct json_writer json;
};

void say_begin(struct task *task, struct said *said);
void say_end(struct said *said);

/* "WHO: reason" on stderr; nothing that grantd is asked to do in DIR is worse than refused. */
enum exit_code say_refused(struct task *task, const char *who);
