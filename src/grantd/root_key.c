/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the root keys: another one in it, which there are, one taken out. */
#include "authority/root_key.h"

#include <stdio.h>

#include "grantd/installation.h"
#include "grantd/program.h"
#include "store/root_rows.h"

#define NAMED_MOST 5
#define NAMES_MAX  512
/*
 * between the last minute's mark and a stop, and as much as an operator takes until the next step
 */
#define AHEAD_MS HOUR_MS

typedef enum err act_fn(struct task *task, struct program *program, const struct config *config);

static enum exit_code run(struct program *program, const char *who, act_fn *act)
{
	CLEANUP(config_free) const struct config *config = NULL;
	enum exit_code code = EXIT_DONE;
	struct task task;
	enum err err;

	program->log.fd = -1;
	task_begin(&task, &program->clock, &program->log);
	err = config_load(&task, &program->source, &config);
	if (err == OK)
		err = act(&task, program, config);
	if (err != OK)
		code = say_refused(&task, who);
	task_end(&task);
	return code;
}

static void say_json(struct task *task, const char *name, int64_t number)
{
	struct said said;

	say_begin(task, &said);
	json_member_int(&said.json, name, number);
	say_end(&said);
}

/* --- add --- */

static enum err add(struct task *task, struct program *program, const struct config *config)
{
	uint32_t number = 0;

	TRY(keys_add_root(task, config->root_key_file, &number));
	if (program->is_json) {
		say_json(task, "added", number);
		return OK;
	}
	printf("root key %u is in %.*s and opens nothing yet\n"
	       "  keep a copy of the file, apart from the database and its backups\n"
	       "  copy the file to every other node, restart grantd on each\n"
	       "  then: grantctl --dir %.*s root-key rewrap\n",
	       number, STR_FMT(config->root_key_file), STR_FMT(config->dir));
	return OK;
}

enum exit_code root_key_add_run(struct program *program)
{
	return run(program, "grantd root-key add", add);
}

/* --- list --- */

static void list_as_json(struct task *task, const struct key_root *roots, size_t count)
{
	struct said said;

	say_begin(task, &said);
	json_key(&said.json, "root_keys");
	json_open_array(&said.json);
	for (size_t i = 0; i < count; i++) {
		json_open_object(&said.json);
		json_member_int(&said.json, "number", roots[i].number);
		json_member_str(&said.json, "fingerprint", roots[i].fingerprint);
		json_close(&said.json);
	}
	json_close(&said.json);
	say_end(&said);
}

static enum err list(struct task *task, struct program *program, const struct config *config)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;
	const struct key_root *roots;
	size_t count;

	TRY(keys_open(task, config->root_key_file, config->issuer, &keys));
	roots = keys_roots(keys, &count);
	if (program->is_json) {
		list_as_json(task, roots, count);
		return OK;
	}
	for (size_t i = 0; i < count; i++)
		printf("%u  %.*s\n", roots[i].number, STR_FMT(roots[i].fingerprint));
	return OK;
}

enum exit_code root_key_list_run(struct program *program)
{
	return run(program, "grantd root-key list", list);
}

/* --- retire --- */

/* Who needs it, by their ids as far as they fit into a sentence. */
static enum err name_people(struct task *task, struct db *db, uint32_t number, struct str *ret_text)
{
	const struct root_place first = { number, STR("") };
	struct buf text = buf_in(&task->arena, NAMES_MAX);
	struct wrapped_key *people = NULL;
	size_t count = 0;

	TRY(root_list_people(task, db, &first, NAMED_MOST, &people, &count));
	for (size_t i = 0; i < count; i++) {
		buf_add(&text, i == 0 ? STR(" (the first: ") : STR(", "));
		buf_add(&text, people[i].user_id);
	}
	if (count > 0)
		buf_add_char(&text, ')');
	return buf_finish(&text, ret_text);
}

static enum err check_sealed(struct task *task, struct db *db, uint32_t number,
			     const struct root_use *use)
{
	struct str names = STR_NONE;

	if (use->people == 0 && use->signing_keys == 0)
		return OK;
	TRY(name_people(task, db, number, &names));
	return failf(task, ERR_CONFLICT,
		     "root key %u is needed: the keys of %lld people%.*s and %lld signing keys lie "
		     "under it; run grantctl root-key rewrap while grantd serves and wait until "
		     "grantctl root-key list shows none. One that stays does not open: the log "
		     "says why (root_key.left)",
		     number, (long long)use->people, STR_FMT(names), (long long)use->signing_keys);
}

static enum err check_installations(struct task *task, struct db *db, uint32_t number,
				    const struct root_use *use)
{
	int64_t just_moved = 0;

	if (use->installations > 0)
		return failf(task, ERR_CONFLICT,
			     "root key %u is needed: %lld installations of agents have refresh "
			     "tokens made by it; each moves when it next refreshes, the last that "
			     "stays away is over at %s",
			     number, (long long)use->installations,
			     clock_format(&task->arena, use->installations_until).at);
	TRY(root_count_just_moved(task, db, number, &just_moved));
	if (just_moved > 0)
		return failf(task, ERR_CONFLICT,
			     "root key %u is needed: %lld installations of agents moved away from "
			     "it less than a minute ago, and one whose answer was lost comes with "
			     "its old refresh token again; try again in a minute",
			     number, (long long)just_moved);
	return OK;
}

/* What is over is told by the time: a clock far ahead would end what lives. */
static enum err check_clock(struct task *task, struct db *db)
{
	int64_t seen = 0;

	TRY(installation_newest(task, db, &seen));
	if (clock_system() <= seen + AHEAD_MS)
		return OK;
	return failf(task, ERR_CONFLICT,
		     "the clock says %s, and the database was last used at %s: if the clock is "
		     "ahead put it right, else start grantd, stop it after a minute and try again",
		     clock_format(&task->arena, clock_system()).at,
		     clock_format(&task->arena, seen).at);
}

static enum err check_unused(struct task *task, struct store *store, uint32_t number)
{
	struct root_use use = { 0 };
	struct db *db = NULL;

	TRY(store_reader(task, store, &db));
	TRY(check_clock(task, db));
	TRY(root_use_find(task, db, number, INT64_MAX, &use));
	TRY(check_sealed(task, db, number, &use));
	return check_installations(task, db, number, &use);
}

static enum err check_number(struct task *task, const struct program *program, struct keyring *keys,
			     uint32_t *ret_number)
{
	uint64_t number = 0;

	if (program->number.at == NULL || !str_to_u64(program->number, UINT32_MAX, &number))
		return fail(task, ERR_CONFIG, "say which: --number N (grantd root-key list)");
	if (keys_find_root(keys, (uint32_t)number) == NULL)
		return failf(task, ERR_CONFIG, "there is no root key %llu in the file",
			     (unsigned long long)number);
	if (number == keys_root_number(keys))
		return failf(task, ERR_CONFLICT,
			     "root key %llu is the current one; add another and make it current "
			     "first (grantd root-key add, grantctl root-key rewrap)",
			     (unsigned long long)number);
	*ret_number = (uint32_t)number;
	return OK;
}

static enum err open_store(struct task *task, const struct config *config, struct store **ret_store)
{
	struct store_config store = { .database = config->database,
				      .threads = 1,
				      .pool = 1,
				      .clock = task->clock,
				      .log = task->log };

	/* on PostgreSQL too: its key process holds the key that is to be gone */
	if (installation_is_served(config))
		return fail(task, ERR_CONFLICT,
			    "a grantd is serving this directory; stop it first, for it reads the "
			    "file only when it starts");
	return installation_open_store(task, &store, ret_store);
}

static enum err retire(struct task *task, struct program *program, const struct config *config)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;
	CLEANUP(store_free) struct store *store = NULL;
	uint32_t number = 0;

	TRY(keys_open(task, config->root_key_file, config->issuer, &keys));
	TRY(open_store(task, config, &store));
	TRY(installation_check(task, store, keys, config));
	TRY(check_number(task, program, keys, &number));
	TRY(check_unused(task, store, number));
	TRY(keys_remove_root(task, config->root_key_file, number));
	if (program->is_json) {
		say_json(task, "retired", number);
		return OK;
	}
	printf("root key %u is no longer in %.*s\n"
	       "  backups made while anything lay under it need it: keep a copy of the old file\n"
	       "  as long as you may put one of them back\n"
	       "  do the same on every other node, or copy the file there and restart grantd\n",
	       number, STR_FMT(config->root_key_file));
	return OK;
}

enum exit_code root_key_retire_run(struct program *program)
{
	return run(program, "grantd root-key retire", retire);
}
