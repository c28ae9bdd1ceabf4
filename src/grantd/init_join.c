/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether DIR is to be a further node of an installation that a PostgreSQL database belongs to
 * already; said before anything is written.
 */
#include "config/file.h"
#include "grantd/init_files.h"
#include "grantd/installation.h"

static enum err look(struct task *task, struct program *program, struct store **ret_store,
		     struct installation *ret_there)
{
	struct store_config config = { .database = program->database,
				       .threads = 1,
				       .pool = 1,
				       .clock = &program->clock,
				       .log = &program->log };
	enum err err = installation_open_store(task, &config, ret_store);

	/* no tables yet, or older ones: what comes next makes them, or says what to do */
	if (err == ERR_CONFIG) {
		task_forgive(task);
		return OK;
	}
	TRY(err);
	return installation_look(task, *ret_store, ret_there);
}

static enum err join(struct task *task, struct program *program, struct store *store,
		     const struct installation *there)
{
	struct str root = file_path(task, program->source.dir, STR("root.key"));

	if (program->root_key.at != NULL)
		TRY(installation_check_root(task, store, there, program->root_key));
	else if (!file_exists(task, root))
		return failf(task, ERR_CONFIG,
			     "--database: it belongs to the installation of %.*s; for a further "
			     "node of it add --root-key FILE with a copy of its root.key, for "
			     "another installation name another database",
			     STR_FMT(there->issuer));
	if (program->issuer.at != NULL && !str_equals(program->issuer, there->issuer))
		return failf(task, ERR_CONFIG,
			     "--issuer: the database belongs to the installation of %.*s, and all "
			     "its nodes have that issuer; leave --issuer out, or name another "
			     "database",
			     STR_FMT(there->issuer));
	program->issuer = there->issuer;
	return OK;
}

enum err init_look_at_database(struct task *task, struct program *program)
{
	CLEANUP(store_free) struct store *store = NULL;
	struct installation there = { 0 };

	if (file_exists(task, file_path(task, program->source.dir, STR("grantd.conf"))) ||
	    !str_starts_with(program->database, STR("postgres")) ||
	    config_check_database(task, program->database) != OK) {
		task_forgive(task); /* a wish that makes no sense is refused by the next step */
		return OK;
	}
	TRY(look(task, program, &store, &there));
	if (there.issuer.at == NULL || there.root_fingerprint.at == NULL)
		return OK;
	return join(task, program, store, &there);
}
