/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"

#include "base/log.h"
#include "base/task.h"
#include "store/schema/schema.h"

static const char version_table[] = "CREATE TABLE IF NOT EXISTS schema_version ("
				    " version BIGINT NOT NULL PRIMARY KEY,"
				    " applied_at BIGINT NOT NULL)";

static STATEMENT VERSION_FIND = { "SELECT COALESCE(max(version), 0) FROM schema_version" };
static STATEMENT VERSION_INSERT = { "INSERT INTO schema_version (version, applied_at)"
				    " VALUES ($1, $2) ON CONFLICT DO NOTHING" };

typedef enum err step_fn(struct task *task, struct db *db, int number);

static enum err find_version(struct task *task, struct db *db, int *ret_version)
{
	int64_t version = 0;

	TRY(sql_one_int(task, db, &VERSION_FIND, NO_ARGS, &version));
	*ret_version = (int)version;
	return OK;
}

static enum err create_version_table(struct task *task, struct db *db, int number)
{
	(void)number;
	return db->driver->define(task, db, str_from_c(version_table));
}

/* Another process may have taken this step while we waited for the lock. */
static enum err apply(struct task *task, struct db *db, int number)
{
	const struct schema_step *step = &schema_steps[number - 1];
	int version = 0;

	TRY(find_version(task, db, &version));
	if (version >= number)
		return OK;
	for (size_t i = 0; step->statements[i] != NULL; i++)
		TRY(db->driver->define(task, db, str_from_c(step->statements[i])));
	return sql_exec(task, db, &VERSION_INSERT, ARGS(sql_int(number), sql_int(task->now)), NULL);
}

static enum err run_locked(struct task *task, struct db *db, step_fn *step, int number)
{
	if (db->driver->migrate_lock != NULL)
		TRY(db->driver->execute(task, db, db->driver->migrate_lock));
	TRY(step(task, db, number));
	return db->driver->execute(task, db, "COMMIT");
}

static enum err in_transaction(struct task *task, struct db *db, step_fn *step, int number)
{
	enum err err;

	TRY(db->driver->execute(task, db, db->driver->begin));
	err = run_locked(task, db, step, number);
	if (err != OK && db->driver->execute(task, db, "ROLLBACK") != OK)
		log_error(task, "store.rollback_failed");
	return err;
}

static enum err refuse_newer(struct task *task, int version)
{
	return failf(task, ERR_CONFIG,
		     "the database has schema %d, this grantd knows %zu: use a newer grantd",
		     version, schema_step_count);
}

enum err migrate_run(struct task *task, struct db *db, int *ret_from, int *ret_to)
{
	int from = 0;

	TRY(in_transaction(task, db, create_version_table, 0));
	TRY(find_version(task, db, &from));
	if ((size_t)from > schema_step_count)
		return refuse_newer(task, from);
	for (int number = from + 1; (size_t)number <= schema_step_count; number++)
		TRY(in_transaction(task, db, apply, number));
	*ret_from = from;
	*ret_to = (int)schema_step_count;
	return OK;
}

enum err migrate_check(struct task *task, struct db *db)
{
	int64_t tables = 0;
	int version = 0;

	TRY(sql_one_int(task, db, db->driver->has_schema, NO_ARGS, &tables));
	if (tables == 0)
		return fail(task, ERR_CONFIG, "the database is empty: run grantd migrate");
	TRY(find_version(task, db, &version));
	if ((size_t)version > schema_step_count)
		return refuse_newer(task, version);
	if ((size_t)version < schema_step_count)
		return failf(
			task, ERR_CONFIG,
			"the database has schema %d, this grantd wants %zu: run grantd migrate",
			version, schema_step_count);
	return OK;
}
