/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "grantd/program.h"
#include "store/store.h"

static enum err migrate(struct task *task, struct program *program, int *ret_from, int *ret_to)
{
	CLEANUP(config_free) const struct config *config = NULL;
	struct store_config store = {
		.threads = 1, .pool = 1, .clock = &program->clock, .log = &program->log
	};

	TRY(config_load(task, &program->source, &config));
	store.database = config->database;
	return store_migrate(task, &store, ret_from, ret_to);
}

static void say(struct task *task, const struct program *program, int from, int to)
{
	struct said said;

	if (program->is_json) {
		say_begin(task, &said);
		json_member_int(&said.json, "from", from);
		json_member_int(&said.json, "to", to);
		say_end(&said);
	} else if (from == to) {
		printf("the database is up to date (schema %d); nothing to do\n", to);
	} else {
		printf("the database went from schema %d to %d\n", from, to);
	}
}

enum exit_code upgrade_run(struct program *program)
{
	enum exit_code code = EXIT_DONE;
	int from = 0, to = 0;
	struct task task;

	program->log.fd = -1;
	task_begin(&task, &program->clock, &program->log);
	if (migrate(&task, program, &from, &to) != OK)
		code = say_refused(&task, "grantd migrate");
	else
		say(&task, program, from, to);
	task_end(&task);
	return code;
}
