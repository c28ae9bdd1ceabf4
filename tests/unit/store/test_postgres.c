/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only PostgreSQL has: conflicts that run again, and a server that goes away and comes back.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "both.h"
#include "nouns.h"
#include "store/driver.h"
#include "store/key_rows.h"
#include "store/retention.h"
#include "store/sql.h"

#define WAIT_STEP_US 50000
#define WAIT_STEPS   400

struct attempt {
	int conflicts; /* how many times it meets one */
	int runs;
};

static enum err meet_conflicts(struct task *task, struct db *db, void *arg)
{
	struct attempt *attempt = arg;
	struct str name = STR("kept");

	TRY(fact_set(task, db, name, STR("once")));
	if (attempt->runs++ < attempt->conflicts)
		return db->driver->execute(task, db, "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$");
	return OK;
}

static void a_conflict_runs_the_closure_again(void **state)
{
	struct world *world = *state;
	struct attempt attempt = { .conflicts = 3 };
	struct str value = STR_NONE;

	CHECK_ERR(world_write(world, meet_conflicts, &attempt), OK);
	CHECK(attempt.runs == 4);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("kept"), &value), OK);
}

static void endless_conflicts_end_in_a_refusal(void **state)
{
	struct world *world = *state;
	struct attempt attempt = { .conflicts = 1000000 };
	struct str value = STR_NONE;

	CHECK_ERR(world_write(world, meet_conflicts, &attempt), ERR_STORE);
	CHECK(attempt.runs > 1 && attempt.runs < 20);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("kept"), &value),
		  ERR_NOT_FOUND);
}

/* A closure that overlooks a failed statement: the server answers ROLLBACK to its COMMIT. */
static enum err overlook_failure(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	TRY(fact_set(task, db, STR("kept"), STR("once")));
	if (db->driver->execute(task, db, "SELECT 1 / 0") == OK)
		return ERR_INTERNAL;
	return OK;
}

static void an_overlooked_failure_is_not_taken_for_a_commit(void **state)
{
	struct world *world = *state;
	struct str value = STR_NONE;

	CHECK_ERR(world_write(world, overlook_failure, NULL), ERR_STORE);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("kept"), &value),
		  ERR_NOT_FOUND);
}

static STATEMENT WAITS_FOR_DISK = {
	"SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN 0 ELSE 1 END"
};

static enum err look_at_commit(struct task *task, struct db *db, void *arg)
{
	return sql_one_int(task, db, &WAITS_FOR_DISK, NO_ARGS, arg);
}

static void a_relaxed_write_does_not_wait_for_the_disk_and_each_other_does(void **state)
{
	struct world *world = *state;
	int64_t waits = -1;

	for (int i = 0; i < 40; i++) {
		CHECK_ERR(world_write_relaxed(world, look_at_commit, &waits), OK);
		CHECK(waits == 0);
		CHECK_ERR(world_write(world, look_at_commit, &waits), OK);
		CHECK(waits == 1);
	}
}

static enum err keep_one(struct task *task, struct db *db, void *arg)
{
	return fact_set(task, db, *(struct str *)arg, STR("kept"));
}

static enum err end_own_session(struct task *task, struct db *db, void *arg)
{
	int *runs = arg;

	TRY(fact_set(task, db, STR("kept"), STR("once")));
	if ((*runs)++ > 0)
		return OK;
	return db->driver->execute(task, db, "SELECT pg_terminate_backend(pg_backend_pid())");
}

static void a_session_lost_before_its_commit_runs_the_closure_again(void **state)
{
	struct world *world = *state;
	struct str value = STR_NONE;
	int runs = 0;

	CHECK_ERR(world_write(world, end_own_session, &runs), OK);
	CHECK(runs == 2);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), STR("kept"), &value), OK);
}

static enum err try_both(struct world *world, struct str *name)
{
	struct str value = STR_NONE;

	TRY(world_write(world, keep_one, name));
	return fact_find(world_task(world), world_reader(world), *name, &value);
}

static void a_server_that_went_away_is_refused_and_found_again(void **state)
{
	struct world *world = *state;
	struct str before = STR("before");
	struct str after = STR("after");
	struct str value = STR_NONE;
	enum err err = ERR_STORE;

	if (getenv("GRANTD_TEST_POSTGRES") != NULL)
		skip();
	CHECK_ERR(try_both(world, &before), OK);
	postgres_halt();
	CHECK_ERR(world_write(world, keep_one, &after), ERR_STORE);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), before, &value), ERR_STORE);
	postgres_resume();
	for (int i = 0; i < WAIT_STEPS && err != OK; i++) {
		usleep(WAIT_STEP_US);
		err = try_both(world, &after);
	}
	CHECK_ERR(err, OK);
	CHECK_ERR(fact_find(world_task(world), world_reader(world), before, &value), OK);
}

static STATEMENT WAITERS = { "SELECT count(*) FROM pg_locks WHERE NOT granted" };

/* The server itself does not give up. */
static enum err answer_late(struct task *task, struct db *db, void *arg)
{
	atomic_int *runs = arg;

	atomic_fetch_add(runs, 1);
	TRY(db->driver->execute(task, db, "SET LOCAL statement_timeout = 0"));
	return db->driver->execute(task, db, "SELECT pg_sleep(30)");
}

/* With one connection that writes. */
static struct store *open_narrow(struct world *world)
{
	struct store_config config = world_config(world);
	struct store *store = NULL;

	config.pool = 1;
	CHECK_ERR(store_open(world_task(world), &config, &store), OK);
	return store;
}

static void what_is_not_answered_in_time_is_not_run_again_and_the_next_is_refused(void **state)
{
	struct world *world = *state;
	struct store *store = open_narrow(world);
	struct str name = STR("next");
	atomic_int runs = 0;

	CHECK_ERR(store_write(world_task(world), store, answer_late, &runs), ERR_STORE);
	CHECK_ERR(store_write(world_task(world), store, keep_one, &name), ERR_STORE);
	CHECK(atomic_load(&runs) == 1);
	store_free(&store);
}

/* Somebody to whom the server answers meanwhile. */
struct reading {
	pthread_t thread;
	struct world_task task;
	struct store *store;
	_Atomic bool is_over;
};

static void *read_meanwhile(void *arg)
{
	struct reading *reading = arg;
	struct db *db = NULL;
	int64_t waiters = 0;

	CHECK_ERR(store_reader(&reading->task.task, reading->store, &db), OK);
	while (!atomic_load(&reading->is_over)) {
		CHECK_ERR(sql_one_int(&reading->task.task, db, &WAITERS, NO_ARGS, &waiters), OK);
		usleep(WAIT_STEP_US);
	}
	return NULL;
}

static void one_that_is_slow_while_others_are_answered_keeps_nobody_off(void **state)
{
	struct world *world = *state;
	struct reading reading = { .store = open_narrow(world) };
	struct str name = STR("next");
	atomic_int runs = 0;

	world_task_begin(world, &reading.task);
	reading.task.task.thread = 1;
	CHECK(pthread_create(&reading.thread, NULL, read_meanwhile, &reading) == 0);
	CHECK_ERR(store_write(world_task(world), reading.store, answer_late, &runs), ERR_STORE);
	CHECK_ERR(store_write(world_task(world), reading.store, keep_one, &name), OK);
	CHECK(atomic_load(&runs) == 1);
	atomic_store(&reading.is_over, true);
	pthread_join(reading.thread, NULL);
	world_task_end(&reading.task);
	store_free(&reading.store);
}

/* One who takes the grant and stays until another one waits for it, and that other one. */
struct meanwhile {
	pthread_t thread;
	struct world_task task;
	struct world *world;
	_Atomic bool is_taken; /* the grant */
	write_fn *fn;
	void *arg;
};

static enum err stay_until_waited_for(struct task *task, struct db *db, struct meanwhile *meanwhile)
{
	int64_t waiters = 0;

	atomic_store(&meanwhile->is_taken, true);
	while (waiters == 0)
		TRY(sql_one_int(task, db, &WAITERS, NO_ARGS, &waiters));
	return OK;
}

static void *write_meanwhile(void *arg)
{
	struct meanwhile *meanwhile = arg;

	while (!atomic_load(&meanwhile->is_taken))
		usleep(WAIT_STEP_US / 10);
	CHECK_ERR(store_write(&meanwhile->task.task, meanwhile->world->store, meanwhile->fn,
			      meanwhile->arg),
		  OK);
	return NULL;
}

/* `first` takes the grant; fn comes while it has it, and waits. */
static void write_both(struct world *world, write_fn *first, write_fn *fn, void *arg)
{
	struct meanwhile meanwhile = { .world = world, .fn = fn, .arg = arg };

	world_task_begin(world, &meanwhile.task);
	CHECK(pthread_create(&meanwhile.thread, NULL, write_meanwhile, &meanwhile) == 0);
	CHECK_ERR(world_write(world, first, &meanwhile), OK);
	pthread_join(meanwhile.thread, NULL);
	world_task_end(&meanwhile.task);
}

static enum err redeem_slowly(struct task *task, struct db *db, void *arg)
{
	TRY(grant_take(task, db, alice_grant.id));
	TRY(stay_until_waited_for(task, db, arg));
	return family_insert(task, db, &alice_family);
}

static enum err revoke_grant(struct task *task, struct db *db, void *arg)
{
	return grant_revoke(task, db, alice_grant.id, CHECK_NOW, STR("user"), arg);
}

static enum err insert_without_family(struct task *task, struct db *db, void *arg)
{
	struct str id = STR_NONE;

	(void)arg;
	TRY(user_insert(task, db, &alice));
	TRY(client_insert(task, db, &mail_agent));
	return grant_put(task, db, &alice_grant, &id);
}

static struct family find_family(struct world *world)
{
	struct family family = { 0 };

	CHECK_ERR(family_find(world_task(world), world_reader(world), alice_family.id, &family),
		  OK);
	return family;
}

static void a_family_made_while_its_grant_is_revoked_ends_with_the_others(void **state)
{
	struct world *world = *state;
	bool is_now = false;

	CHECK_ERR(world_write(world, insert_without_family, NULL), OK);
	write_both(world, redeem_slowly, revoke_grant, &is_now);
	CHECK(is_now);
	CHECK_STR(find_family(world).revoked_why, STR("revoked_by_user"));
}

static enum err end_grant(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return grant_set_end(task, db, alice_grant.id, STR_NONE, CHECK_NOW, CHECK_NOW - 1);
}

/* A yes when mail.read has run out. */
static enum err allow_later(struct task *task, struct db *db, void *arg)
{
	struct permission permission = alice_grant.permissions[0];
	struct grant grant = alice_grant;
	struct str id = STR_NONE;

	(void)arg;
	grant.updated_at = permission.expires_at;
	permission.expires_at += DAY_MS;
	grant.permissions = &permission;
	grant.permission_count = 1;
	return grant_put(task, db, &grant, &id);
}

static void a_family_made_while_what_is_over_is_allowed_anew_does_not_have_it(void **state)
{
	struct world *world = *state;
	struct task *task;

	CHECK_ERR(world_write(world, insert_without_family, NULL), OK);
	write_both(world, redeem_slowly, allow_later, NULL);
	task = world_task(world);
	CHECK_STR(scope_text(&task->arena, find_family(world).ceiling), STR("mail.send"));
}

static void a_family_made_while_a_grant_that_is_over_is_allowed_anew_ends(void **state)
{
	struct world *world = *state;

	CHECK_ERR(world_write(world, insert_without_family, NULL), OK);
	CHECK_ERR(world_write(world, end_grant, NULL), OK);
	write_both(world, redeem_slowly, allow_later, NULL);
	CHECK_STR(find_family(world).revoked_why, STR("expired"));
}

/* Renews the grant, which has run out. */
static enum err consent_slowly(struct task *task, struct db *db, void *arg)
{
	struct str id = STR_NONE;

	TRY(grant_put(task, db, &alice_grant, &id));
	return stay_until_waited_for(task, db, arg);
}

static enum err forget_grants(struct task *task, struct db *db, void *arg)
{
	return retention_grants(task, db, arg);
}

static void a_grant_that_is_renewed_while_it_is_being_forgotten_keeps_what_was_allowed(void **state)
{
	struct world *world = *state;
	struct retention_slice slice = { .after = STR(""), .before = CHECK_NOW + 1, .limit = 10 };
	struct grant grant = { 0 };

	CHECK_ERR(world_write(world, insert_without_family, NULL), OK);
	CHECK_ERR(world_write(world, end_grant, NULL), OK);
	write_both(world, consent_slowly, forget_grants, &slice);
	CHECK(slice.deleted == 0);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.permission_count == alice_grant.permission_count);
}

/* As a standby would, or a primary that its operator has frozen. */
static void a_session_that_cannot_write_is_not_read_from_either(void **state)
{
	struct world *world = *state;
	struct task *task = world_task(world);
	struct store_config config = world_config(world);
	struct store *store = NULL;

	config.database = STR_JOIN(&task->arena, config.database,
				   STR("%20-cdefault_transaction_read_only%3Don"));
	CHECK_ERR(store_open(task, &config, &store), ERR_STORE);
	CHECK(store == NULL);
}

int main(void)
{
	return RUN_ON_POSTGRES(
		cmocka_unit_test(a_conflict_runs_the_closure_again),
		cmocka_unit_test(a_session_that_cannot_write_is_not_read_from_either),
		cmocka_unit_test(endless_conflicts_end_in_a_refusal),
		cmocka_unit_test(an_overlooked_failure_is_not_taken_for_a_commit),
		cmocka_unit_test(a_relaxed_write_does_not_wait_for_the_disk_and_each_other_does),
		cmocka_unit_test(a_family_made_while_its_grant_is_revoked_ends_with_the_others),
		cmocka_unit_test(a_family_made_while_what_is_over_is_allowed_anew_does_not_have_it),
		cmocka_unit_test(a_family_made_while_a_grant_that_is_over_is_allowed_anew_ends),
		cmocka_unit_test(
			a_grant_that_is_renewed_while_it_is_being_forgotten_keeps_what_was_allowed),
		cmocka_unit_test(
			what_is_not_answered_in_time_is_not_run_again_and_the_next_is_refused),
		cmocka_unit_test(one_that_is_slow_while_others_are_answered_keeps_nobody_off),
		cmocka_unit_test(a_session_lost_before_its_commit_runs_the_closure_again),
		cmocka_unit_test(a_server_that_went_away_is_refused_and_found_again));
}
