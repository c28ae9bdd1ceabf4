/* SPDX-License-Identifier: Apache-2.0 */
/* Schema versions, on both databases. */
#include "both.h"
#include "store/driver.h"

static enum err run_text(struct task *task, struct db *db, void *arg)
{
	return db->driver->execute(task, db, arg);
}

static enum err reopen(struct world *world)
{
	struct store_config config = world_config(world);

	store_free(&world->store);
	return store_open(world_task(world), &config, &world->store);
}

static enum err migrate(struct world *world, int *from, int *to)
{
	struct store_config config = world_config(world);

	store_free(&world->store);
	return store_migrate(world_task(world), &config, from, to);
}

static void migrating_again_changes_nothing(void **state)
{
	struct world *world = *state;
	int from = 0;
	int to = 0;

	CHECK_ERR(migrate(world, &from, &to), OK);
	CHECK(from == to && to > 0);
	CHECK_ERR(reopen(world), OK);
}

static void a_newer_schema_is_refused(void **state)
{
	static char newer[] = "INSERT INTO schema_version (version, applied_at) VALUES (999, 0)";
	struct world *world = *state;
	int from = 0;
	int to = 0;

	CHECK_ERR(world_write(world, run_text, newer), OK);
	CHECK_ERR(reopen(world), ERR_CONFIG);
	CHECK(str_ends_with(world->home.task.reason, STR("use a newer grantd")));
	CHECK_ERR(migrate(world, &from, &to), ERR_CONFIG);
}

static void an_older_schema_is_refused_until_it_is_migrated(void **state)
{
	static char forget[] = "DELETE FROM schema_version";
	struct world *world = *state;

	CHECK_ERR(world_write(world, run_text, forget), OK);
	CHECK_ERR(reopen(world), ERR_CONFIG);
	CHECK(str_ends_with(world->home.task.reason, STR("run grantd migrate")));
}

static void an_empty_database_is_refused_until_it_is_migrated(void **state)
{
	static char drop[] = "DROP TABLE schema_version";
	struct world *world = *state;

	CHECK_ERR(world_write(world, run_text, drop), OK);
	CHECK_ERR(reopen(world), ERR_CONFIG);
	CHECK(str_ends_with(world->home.task.reason, STR("run grantd migrate")));
}

/* A connection of its own, for there is no store on a database without a schema. */
static enum err open_for_writing(struct world *world, struct db **ret_db)
{
	const struct sql_driver *driver = NULL;
	struct str place = STR_NONE;

	TRY(driver_choose(world_task(world), world->database, &driver, &place));
	return driver->open(world_task(world), place, DB_WRITE, ret_db);
}

/* A step that fails at its first statement leaves nothing of itself. */
static void a_step_that_fails_leaves_nothing_behind(void **state)
{
	static char in_the_way[] = "DROP TABLE schema_version";
	static char other[] = "DROP TABLE facts";
	struct world *world = *state;
	int from = 0;
	int to = 0;

	CHECK_ERR(world_write(world, run_text, in_the_way), OK);
	CHECK_ERR(world_write(world, run_text, other), OK);
	CHECK_ERR(migrate(world, &from, &to), ERR_STORE);
	CHECK_ERR(reopen(world), ERR_CONFIG);
	CHECK(str_ends_with(world->home.task.reason, STR("run grantd migrate")));
}

/* Children first. */
static const char *const tables[] = {
	"widenings",	 "sub_agents",	    "derivations",    "outbox",	  "counters",
	"events",	 "proofs",	    "keys",	      "facts",	  "marks",
	"resources",	 "families",	    "permissions",    "grants",	  "requests",
	"registrations", "register_tokens", "documents",      "key_sets", "clients",
	"throttles",	 "nodes",	    "leases",	      "sessions", "authenticators",
	"user_keys",	 "users",	    "schema_version", "spent",
};

static enum err drop_all(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		TRY(db->driver->execute(task, db,
					str_printf(&task->arena, "DROP TABLE %s", tables[i]).at));
	return OK;
}

/* What is late in the step is there already, so that it fails behind most of what it makes. */
static void a_step_that_fails_in_the_middle_leaves_no_table(void **state)
{
	static char in_the_way[] = "CREATE TABLE resources (name TEXT)";
	static char make_first[] = "CREATE TABLE users (id TEXT)";
	static char drop_first[] = "DROP TABLE users";
	static char out_of_the_way[] = "DROP TABLE resources";
	struct world *world = *state;
	struct db *db = NULL;
	int from = -1;
	int to = 0;

	CHECK_ERR(world_write(world, drop_all, NULL), OK);
	CHECK_ERR(world_write(world, run_text, in_the_way), OK);
	CHECK_ERR(migrate(world, &from, &to), ERR_STORE);
	CHECK_ERR(reopen(world), ERR_CONFIG);
	CHECK_ERR(open_for_writing(world, &db), OK);
	CHECK_ERR(db->driver->execute(world_task(world), db, make_first), OK);
	CHECK_ERR(db->driver->execute(world_task(world), db, drop_first), OK);
	CHECK_ERR(db->driver->execute(world_task(world), db, out_of_the_way), OK);
	db->driver->close(&db);
	CHECK_ERR(migrate(world, &from, &to), OK);
	CHECK(from == 0 && to > 0);
	CHECK_ERR(reopen(world), OK);
}

struct migrator {
	pthread_t thread;
	struct world *world;
	struct str database;
	enum err answer;
};

static void *migrate_now(void *arg)
{
	struct migrator *migrator = arg;
	struct store_config config = world_config(migrator->world);
	struct world_task task;
	int from = 0;
	int to = 0;

	config.database = migrator->database;
	world_task_begin(migrator->world, &task);
	migrator->answer = store_migrate(&task.task, &config, &from, &to);
	world_task_end(&task);
	return NULL;
}

static void several_who_migrate_one_postgresql_at_once_take_turns(void **state)
{
	struct world *world = *state;
	struct migrator migrators[4] = { 0 };
	struct str database = STR_NONE;

	database = postgres_fresh(&world->home.task.arena);
	for (size_t i = 0; i < COUNT_OF(migrators); i++) {
		migrators[i].world = world;
		migrators[i].database = database;
		CHECK(pthread_create(&migrators[i].thread, NULL, migrate_now, &migrators[i]) == 0);
	}
	for (size_t i = 0; i < COUNT_OF(migrators); i++) {
		pthread_join(migrators[i].thread, NULL);
		CHECK_ERR(migrators[i].answer, OK);
	}
}

int main(void)
{
	return RUN_ON_BOTH(
		ONLY_ON(POSTGRESQL, several_who_migrate_one_postgresql_at_once_take_turns),
		cmocka_unit_test(migrating_again_changes_nothing),
		cmocka_unit_test(a_newer_schema_is_refused),
		cmocka_unit_test(an_older_schema_is_refused_until_it_is_migrated),
		cmocka_unit_test(an_empty_database_is_refused_until_it_is_migrated),
		cmocka_unit_test(a_step_that_fails_leaves_nothing_behind),
		cmocka_unit_test(a_step_that_fails_in_the_middle_leaves_no_table));
}
