/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts a backup back, or looks whether one could be: everything is done on a copy beside the
 * database, which then takes its place at once. PostgreSQL's own tools have put the database back
 * already; what is left is to keep ended what had ended.
 */
#include <stdio.h>

#include "authority/restore.h"
#include "grantd/installation.h"
#include "grantd/program.h"
#include "store/backup.h"
#include "store/ended.h"
#include "store/events.h"

struct outcome {
	struct restore_report report;
	struct ended_record ended;
	struct str aside; /* the database of before; STR_NONE: none */
};

static enum err open_store(struct task *task, struct str database, struct store **ret_store)
{
	struct store_config store = { .database = database,
				      .threads = 1,
				      .pool = 1,
				      .clock = task->clock,
				      .log = task->log };
	int from = 0, to = 0;

	TRY(store_migrate(task, &store, &from, &to));
	return installation_open_store(task, &store, ret_store);
}

/* The live keys must open before anything is changed: then it is this database's root key. */
static enum err check_root(struct task *task, struct store *store, struct keyring *keys,
			   const struct config *config)
{
	TRY(installation_check(task, store, keys, config));
	return installation_load_keys(task, store, keys, config);
}

/* A copy may know of a later time than this machine's clock: nothing must come before that. */
static enum err raise_clock(struct task *task, struct store *store)
{
	struct db *db = NULL;
	int64_t newest = 0;

	TRY(store_reader(task, store, &db));
	TRY(event_newest(task, db, &newest));
	clock_raise(task->clock, newest + 1);
	task->now = clock_wall(task->clock);
	return OK;
}

static enum err apply(struct task *task, struct store *store, struct config_live *live,
		      int64_t made_at, struct outcome *outcome)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;
	const struct config *config = config_current(live);
	struct restore restore = { .ended = &outcome->ended, .made_at = made_at };
	struct authority authority;
	enum err err;

	TRY(keys_open(task, config->root_key_file, config->issuer, &keys));
	TRY(check_root(task, store, keys, config));
	TRY(raise_clock(task, store));
	err = authority_open(task, &authority, store, keys, live);
	if (err == OK)
		err = restore_apply(task, &authority, &restore, &outcome->report);
	authority_close(&authority);
	return err;
}

static enum err apply_to(struct task *task, struct config_live *live, struct str database,
			 int64_t made_at, struct outcome *outcome)
{
	CLEANUP(store_free) struct store *store = NULL;

	TRY(ended_read(task, installation_ended_file(task, config_current(live)), &outcome->ended));
	TRY(open_store(task, database, &store));
	return apply(task, store, live, made_at, outcome);
}

static struct str path_of(struct config_live *live)
{
	return str_from(config_current(live)->database, STR("sqlite:").len);
}

static enum err try_copy(struct task *task, const struct program *program, struct config_live *live,
			 struct str copy, struct outcome *outcome)
{
	struct backup_files files = { .file = program->from, .keys = program->keys };
	struct str database = STR_JOIN(&task->arena, STR("sqlite:"), copy);
	int64_t made_at = 0;
	enum err err;

	if (files.keys.at == NULL)
		files.keys = STR_JOIN(&task->arena, files.file, STR(".keys"));
	TRY(backup_assemble(task, &files, copy, &made_at));
	err = apply_to(task, live, database, made_at, outcome);
	if (err != OK)
		backup_discard(task, copy);
	return err;
}

static enum err verify(struct task *task, const struct program *program, struct config_live *live,
		       struct outcome *outcome)
{
	struct str copy = STR_JOIN(&task->arena, path_of(live), STR(".verifying"));

	TRY(try_copy(task, program, live, copy, outcome));
	backup_discard(task, copy);
	return OK;
}

static enum err put_back(struct task *task, const struct program *program, struct config_live *live,
			 struct outcome *outcome)
{
	CLEANUP(store_release) struct store_claim *claim = NULL;
	struct str copy = STR_JOIN(&task->arena, path_of(live), STR(".restoring"));

	TRY(store_claim(task, config_current(live)->database, &claim));
	TRY(try_copy(task, program, live, copy, outcome));
	outcome->aside = STR_JOIN(&task->arena, path_of(live), STR(".before-restore"));
	return backup_install(task, copy, path_of(live));
}

/* The database is there already, put back by PostgreSQL's own tools. */
static enum err follow_up(struct task *task, const struct program *program,
			  struct config_live *live, struct outcome *outcome)
{
	const struct config *config = config_current(live);

	if (program->from.at != NULL || program->keys.at != NULL || program->is_verify)
		return fail(task, ERR_CONFIG,
			    "PostgreSQL's own tools put the database back (docs/operator.md); "
			    "then run grantd restore with --dir alone");
	if (installation_is_served(config))
		return fail(task, ERR_CONFIG, "a grantd is serving this directory; stop it first");
	return apply_to(task, live, config->database, 0, outcome);
}

static enum err restore(struct task *task, const struct program *program, struct outcome *outcome)
{
	CLEANUP(config_live_free) struct config_live *live = NULL;
	const struct config *config = NULL;

	TRY(config_load(task, &program->source, &config));
	live = config_live_new(config);
	if (!backup_is_ours(config->database))
		return follow_up(task, program, live, outcome);
	if (program->from.at == NULL)
		return fail(task, ERR_CONFIG, "say which backup: --from FILE");
	if (program->is_verify)
		return verify(task, program, live, outcome);
	return put_back(task, program, live, outcome);
}

static void say_ended(struct task *task, const struct outcome *outcome)
{
	const struct restore_report *report = &outcome->report;

	if (report->is_complete) {
		printf("  what has ended since stays ended: %lld acts, the last on record at %s\n",
		       (long long)report->kept_ended,
		       outcome->ended.count == 0
			       ? "-"
			       : clock_format(&task->arena,
					      outcome->ended.lines[outcome->ended.count - 1].at)
					 .at);
		return;
	}
	printf("  nobody remembers all that has ended since: %lld installations of agents are "
	       "ended,\n  and must be allowed again\n",
	       (long long)report->installations_ended);
}

static void say(struct task *task, const struct program *program, const struct outcome *outcome)
{
	const struct restore_report *report = &outcome->report;

	printf("%s of %s: %lld people, %lld agents, %lld grants\n",
	       program->is_verify ? "this would put back the database" : "put back the database",
	       clock_format(&task->arena, report->made_at).at, (long long)report->users,
	       (long long)report->clients, (long long)report->grants);
	say_ended(task, outcome);
	printf("  %lld grants are paused until their person confirms; everybody signs in again\n"
	       "  every signing key is replaced\n",
	       (long long)report->paused);
	if (report->without_key > 0)
		printf("  %lld people have no key there: they were erased since, or are newer than "
		       "the keys\n",
		       (long long)report->without_key);
	if (program->is_verify)
		printf("nothing was changed\n");
	else if (outcome->aside.at != NULL)
		printf("the database of before is %.*s; remove it when all is well\n",
		       STR_FMT(outcome->aside));
}

enum exit_code restore_run(struct program *program)
{
	struct outcome outcome = { 0 };
	enum exit_code code = EXIT_DONE;
	struct task task;

	program->log.fd = -1;
	task_begin(&task, &program->clock, &program->log);
	if (restore(&task, program, &outcome) == OK)
		say(&task, program, &outcome);
	else
		code = say_refused(&task, "grantd restore");
	task_end(&task);
	return code;
}
