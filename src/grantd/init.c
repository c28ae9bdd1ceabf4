/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new installation, in steps that each make what is missing: so a second run changes nothing, and
 * a run after a crash ends what the first began.
 */
#include <stdio.h>

#include "config/file.h"
#include "grantd/init_files.h"
#include "grantd/installation.h"

static enum err check_unchanged(struct task *task, const struct program *program,
				const struct config *config)
{
	if (program->issuer.at != NULL && !str_equals(program->issuer, config->issuer))
		return failf(task, ERR_CONFIG,
			     "%.*s is set up for %.*s; an issuer cannot be changed, only a new "
			     "directory gets another",
			     STR_FMT(config->dir), STR_FMT(config->issuer));
	return OK;
}

/* A root key that the database knows and that is gone must not be replaced by a new one. */
static enum err make_root(struct task *task, struct store *store, const struct config *config,
			  struct init_progress *progress)
{
	bool has_root = false;

	if (file_exists(task, config->root_key_file))
		return OK;
	TRY(installation_has_root(task, store, &has_root));
	if (has_root)
		return failf(
			task, ERR_CONFIG,
			"%.*s is missing, and the database was set up with it; put it back from "
			"its copy. A new one could not open what the old one sealed",
			STR_FMT(config->root_key_file));
	progress->made++;
	return keys_create_root(task, config->root_key_file);
}

/* The key is held against the database before anything is written. */
static enum err copy_root(struct task *task, struct store *store, const struct program *program,
			  const struct config *config, struct init_progress *progress)
{
	struct installation there = { 0 };

	TRY(installation_look(task, store, &there));
	if (there.root_fingerprint.at != NULL)
		TRY(installation_check_root(task, store, &there, program->root_key));
	progress->made++;
	return keys_copy_root(task, program->root_key, config->root_key_file);
}

static enum err fill_database(struct task *task, struct store *store, const struct program *program,
			      const struct config *config, struct init_progress *progress)
{
	CLEANUP(keys_free) struct keyring *keys = NULL;
	size_t made = 0;

	if (program->root_key.at != NULL && !file_exists(task, config->root_key_file))
		TRY(copy_root(task, store, program, config, progress));
	else
		TRY(make_root(task, store, config, progress));
	TRY(keys_open(task, config->root_key_file, config->issuer, &keys));
	TRY(installation_complete(task, store, keys, config, &made));
	progress->made += (unsigned)made;
	return OK;
}

static enum err make_database(struct task *task, struct program *program,
			      const struct config *config, struct init_progress *progress)
{
	CLEANUP(store_free) struct store *store = NULL;
	struct store_config store_config = {
		.database = config->database,
		.reserve = STORE_RESERVE,
		.threads = 1,
		.pool = 1,
		.clock = &program->clock,
		.log = &program->log,
	};
	int from = 0, to = 0;

	TRY(store_migrate(task, &store_config, &from, &to));
	progress->made += from != to;
	TRY(installation_open_store(task, &store_config, &store));
	return fill_database(task, store, program, config, progress);
}

/*
 * Who serves a SQLite database looked at its start at all that has to be in it, and shares it with
 * nobody.
 */
static bool is_in_use(struct task *task, const struct program *program, const struct config *config)
{
	return program->root_key.at == NULL && str_starts_with(config->database, STR("sqlite:")) &&
	       file_exists(task, config->root_key_file) && installation_is_served(config);
}

static enum err init(struct task *task, struct program *program, struct init_progress *progress,
		     const struct config **ret_config)
{
	TRY(init_look_at_database(task, program));
	TRY(init_check_wish(task, program));
	TRY(init_folders(task, program->source.dir, progress, &program->source.dir));
	TRY(init_config(task, program, progress));
	TRY(config_load(task, &program->source, ret_config));
	TRY(check_unchanged(task, program, *ret_config));
	TRY(init_certificate(task, *ret_config, progress));
	if (is_in_use(task, program, *ret_config))
		return OK;
	return make_database(task, program, *ret_config, progress);
}

static void say_done_json(struct task *task, const struct config *config,
			  const struct init_progress *progress)
{
	struct said said;

	say_begin(task, &said);
	json_member_str(&said.json, "dir", config->dir);
	json_member_str(&said.json, "issuer", config->issuer);
	json_member_bool(&said.json, "changed", progress->made > 0);
	json_member_str(&said.json, "ca_file", file_path(task, config->dir, STR("ca.pem")));
	json_member_str(&said.json, "root_key_file", config->root_key_file);
	say_end(&said);
}

static void say_done(const struct config *config, const struct init_progress *progress)
{
	struct str dir = config->dir;

	if (progress->made == 0) {
		printf("%.*s is set up for %.*s; nothing to do\n", STR_FMT(dir),
		       STR_FMT(config->issuer));
		return;
	}
	printf("%.*s is set up for %.*s\n\n"
	       "  serve it         grantd serve --dir %.*s\n"
	       "  first person     grantctl --dir %.*s user create NAME\n"
	       "  to be trusted    %.*s/ca.pem (by agents and browsers; its own key is not kept)\n"
	       "  to be kept safe  %.*s, apart from the database\n",
	       STR_FMT(dir), STR_FMT(config->issuer), STR_FMT(dir), STR_FMT(dir), STR_FMT(dir),
	       STR_FMT(config->root_key_file));
}

enum exit_code init_run(struct program *program)
{
	CLEANUP(config_free) const struct config *config = NULL;
	struct init_progress progress = { 0 };
	enum exit_code code = EXIT_DONE;
	struct task task;

	program->log.fd = -1; /* the outcome is one sentence, not a log */
	task_begin(&task, &program->clock, &program->log);
	if (init(&task, program, &progress, &config) != OK)
		code = say_refused(&task, "grantd init");
	else if (program->is_json)
		say_done_json(&task, config, &progress);
	else
		say_done(config, &progress);
	task_end(&task);
	return code;
}
