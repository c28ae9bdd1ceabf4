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
#include "store/nodes.h"

struct outcome {
	struct restore_report report;
	struct ended_record ended;
	struct str aside; /* the database of before; STR_NONE: none */
	/* that have served PostgreSQL since, as the operator says; 0: not said */
	size_t nodes;
	size_t nodes_in_copy; /* when it was made */
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

static bool is_named_before(const struct node *nodes, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (str_equals(nodes[j].name, nodes[i].name))
			return true;
	return false;
}

/* Nodes that served when the copy was made, and may have gone on: the operator may have forgotten
 * one. */
static enum err count_nodes(struct task *task, struct store *store, struct restore *restore,
			    struct outcome *outcome)
{
	struct node *nodes = NULL;
	struct db *db = NULL;
	size_t count = 0;

	if (outcome->nodes == 0) /* SQLite has one */
		return OK;
	TRY(store_reader(task, store, &db));
	TRY(node_list(task, db, 0, &nodes, &count));
	for (size_t i = 0; i < count; i++)
		outcome->nodes_in_copy += !is_named_before(nodes, i);
	restore->is_everybodys = restore->is_everybodys && outcome->nodes_in_copy <= outcome->nodes;
	return OK;
}

static enum err apply(struct task *task, struct store *store, struct config_live *live,
		      struct restore *restore, struct outcome *outcome)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;
	const struct config *config = config_current(live);
	struct authority authority;
	enum err err;

	TRY(keys_open(task, config->root_key_file, config->issuer, &keys));
	TRY(check_root(task, store, keys, config));
	TRY(count_nodes(task, store, restore, outcome));
	TRY(raise_clock(task, store));
	err = authority_open(task, &authority, store, keys, live);
	if (err == OK)
		err = restore_apply(task, &authority, restore, &outcome->report);
	authority_close(&authority);
	return err;
}

static enum err apply_to(struct task *task, struct config_live *live, struct str database,
			 struct restore *restore, struct outcome *outcome)
{
	CLEANUP(store_free) struct store *store = NULL;

	restore->ended = &outcome->ended;
	TRY(open_store(task, database, &store));
	return apply(task, store, live, restore, outcome);
}

static enum err read_own(struct task *task, struct config_live *live, struct outcome *outcome)
{
	return ended_read(task, installation_ended_file(task, config_current(live)),
			  &outcome->ended);
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
	struct restore restore = { .is_everybodys = true };
	enum err err;

	if (files.keys.at == NULL)
		files.keys = STR_JOIN(&task->arena, files.file, STR(".keys"));
	TRY(read_own(task, live, outcome));
	TRY(backup_assemble(task, &files, copy, &restore.made_at));
	err = apply_to(task, live, database, &restore, outcome);
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

/* One file given twice would stand for the node whose file is missing. */
static enum err read_others(struct task *task, const struct program *program,
			    struct outcome *outcome)
{
	int64_t began_at[ENDED_FILES_MAX + 1] = { outcome->ended.began_at };

	for (size_t i = 0; i < program->ended_count; i++) {
		struct ended_record record = { 0 };

		TRY(ended_read(task, program->ended[i], &record));
		if (record.began_at == 0)
			return failf(task, ERR_CONFIG, "%.*s: is not there",
				     STR_FMT(program->ended[i]));
		for (size_t j = 0; j <= i; j++)
			if (began_at[j] == record.began_at)
				return failf(task, ERR_CONFIG,
					     "%.*s: is this node's own, or was given twice",
					     STR_FMT(program->ended[i]));
		began_at[i + 1] = record.began_at;
		ended_add(task, &outcome->ended, &record);
	}
	return OK;
}

static enum err take_nodes(struct task *task, const struct program *program, size_t *ret_nodes)
{
	uint64_t nodes = 0;

	if (program->nodes.at == NULL)
		return OK;
	if (!str_to_u64(program->nodes, ENDED_FILES_MAX + 1, &nodes) || nodes == 0)
		return fail(task, ERR_CONFIG, "--nodes is a number from 1 to 100");
	if (program->ended_count >= nodes)
		return fail(task, ERR_CONFIG,
			    "--nodes counts this node and each one whose --ended is given");
	*ret_nodes = (size_t)nodes;
	return OK;
}

static enum err take_made_at(struct task *task, const struct program *program, int64_t *ret_made_at)
{
	int64_t made_at = 0;

	if (program->made_at.at == NULL)
		return OK;
	if (!clock_parse(program->made_at, &made_at) || made_at == 0 ||
	    made_at > task->now + MINUTE_MS)
		return fail(task, ERR_CONFIG,
			    "--made-at is a time that has been, in UTC, as 2026-11-28T09:30:00Z");
	*ret_made_at = made_at;
	return OK;
}

/* The database is there already, put back by PostgreSQL's own tools. */
static enum err follow_up(struct task *task, const struct program *program,
			  struct config_live *live, struct outcome *outcome)
{
	const struct config *config = config_current(live);
	struct restore restore = { 0 };

	if (program->from.at != NULL || program->keys.at != NULL || program->is_verify)
		return fail(task, ERR_CONFIG,
			    "PostgreSQL's own tools put the database back (docs/operator.md); "
			    "then run grantd restore with --dir, --made-at and --nodes");
	TRY(take_made_at(task, program, &restore.made_at));
	TRY(take_nodes(task, program, &outcome->nodes));
	if (installation_is_served(config))
		return fail(task, ERR_CONFIG, "a grantd is serving this directory; stop it first");
	TRY(read_own(task, live, outcome));
	TRY(read_others(task, program, outcome));
	restore.is_everybodys = outcome->nodes == program->ended_count + 1;
	return apply_to(task, live, config->database, &restore, outcome);
}

static enum err restore(struct task *task, const struct program *program, struct outcome *outcome)
{
	CLEANUP(config_live_free) struct config_live *live = NULL;
	const struct config *config = NULL;

	TRY(config_load(task, &program->source, &config));
	live = config_live_new(config);
	if (!backup_is_ours(config->database))
		return follow_up(task, program, live, outcome);
	if (program->made_at.at != NULL || program->nodes.at != NULL || program->ended_count > 0)
		return fail(task, ERR_CONFIG,
			    "--made-at, --nodes and --ended are for PostgreSQL: a backup of SQLite "
			    "knows when it was made");
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
	if (outcome->nodes_in_copy > outcome->nodes)
		printf("  (%zu nodes served the database when it was copied, --nodes said %zu)\n",
		       outcome->nodes_in_copy, outcome->nodes);
}

static struct str time_of(struct task *task, int64_t made_at)
{
	return made_at == 0 ? STR("a time that --made-at did not say")
			    : clock_format(&task->arena, made_at);
}

static void say(struct task *task, const struct program *program, const struct outcome *outcome)
{
	const struct restore_report *report = &outcome->report;

	printf("%s of %s: %lld people, %lld agents, %lld grants\n",
	       program->is_verify ? "this would put back the database" : "put back the database",
	       time_of(task, report->made_at).at, (long long)report->users,
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

static void say_as_json(struct task *task, const struct program *program,
			const struct outcome *outcome)
{
	const struct restore_report *report = &outcome->report;
	struct said said;

	say_begin(task, &said);
	json_member_bool(&said.json, "changed", !program->is_verify);
	if (report->made_at != 0)
		json_member_str(&said.json, "made_at", clock_format(&task->arena, report->made_at));
	json_member_bool(&said.json, "complete", report->is_complete);
	json_member_int(&said.json, "users", report->users);
	json_member_int(&said.json, "clients", report->clients);
	json_member_int(&said.json, "grants", report->grants);
	json_member_int(&said.json, "kept_ended", report->kept_ended);
	json_member_int(&said.json, "grants_paused", report->paused);
	json_member_int(&said.json, "installations_ended", report->installations_ended);
	json_member_int(&said.json, "people_without_key", report->without_key);
	if (outcome->aside.at != NULL)
		json_member_str(&said.json, "before", outcome->aside);
	say_end(&said);
}

enum exit_code restore_run(struct program *program)
{
	struct outcome outcome = { 0 };
	enum exit_code code = EXIT_DONE;
	struct task task;

	program->log.fd = -1;
	task_begin(&task, &program->clock, &program->log);
	if (restore(&task, program, &outcome) != OK)
		code = say_refused(&task, "grantd restore");
	else if (program->is_json)
		say_as_json(&task, program, &outcome);
	else
		say(&task, program, &outcome);
	task_end(&task);
	return code;
}
