/* SPDX-License-Identifier: Apache-2.0 */
/* The queue, group commit and its failures, on both databases. */
#include "both.h"
#include "gate.h"
#include "store/driver.h"
#include "store/key_rows.h"

#define MANY 10

static STATEMENT ORPHAN_INSERT = {
	"INSERT INTO user_keys (user_id, wrapped_key, root_number) VALUES ($1, $2, 1)"
};
static STATEMENT FACT_COUNT = { "SELECT count(*) FROM facts" };

/* One write by a task of its own, submitted and waited for later. */
struct job {
	struct world_task task;
	struct store *store;
	write_fn *fn;
	struct str name;
	enum err answer;
	int runs;
	int64_t place; /* in the order of running */
	int64_t *next_place;
};

static enum err keep(struct task *task, struct db *db, void *arg)
{
	struct job *job = arg;

	job->runs++;
	if (job->next_place != NULL)
		job->place = (*job->next_place)++;
	return fact_set(task, db, job->name, STR("kept"));
}

static enum err keep_and_refuse(struct task *task, struct db *db, void *arg)
{
	TRY(keep(task, db, arg));
	return fail(task, ERR_GRANT, "changed its mind");
}

static enum err after(struct task *task, enum err result, void *arg)
{
	(void)task;
	((struct job *)arg)->answer = result;
	return result;
}

static enum err submit(struct task *task, void *arg)
{
	struct job *job = arg;

	return store_submit(task, job->store, job->fn, job, after);
}

static enum err come_home(struct task *task, void *arg)
{
	(void)task;
	(void)arg;
	return ERR_PARKED;
}

static void begin_job(struct world *world, struct job *job, int number, write_fn *fn)
{
	*job = (struct job){ .store = world->store, .fn = fn };
	world_task_begin(world, &job->task);
	job->name = str_printf(&job->task.task.arena, "fact %d", number);
}

/* Behind a gate, so that on SQLite all of them run in one transaction. */
static void run_together(struct world *world, struct job *jobs, size_t count)
{
	struct gate gate = GATE_INIT;
	struct job first;

	begin_job(world, &first, 99, gate_stand);
	CHECK_ERR(store_submit(&first.task.task, world->store, gate_stand, &gate, after),
		  ERR_PARKED);
	first.task.task.arg = &first;
	gate_wait(&gate);
	for (size_t i = 0; i < count; i++)
		CHECK_ERR(submit(&jobs[i].task.task, &jobs[i]), ERR_PARKED);
	gate_open(&gate);
	CHECK_ERR(world_run(&first.task, come_home, NULL), OK);
	for (size_t i = 0; i < count; i++) {
		enum err answer = world_run(&jobs[i].task, come_home, NULL);

		CHECK_ERR(answer, jobs[i].answer);
	}
	world_task_end(&first.task);
}

static bool is_kept(struct world *world, struct str name)
{
	struct str value = STR_NONE;

	return fact_find(world_task(world), world_reader(world), name, &value) == OK;
}

static void a_parked_write_goes_on_after_its_commit_with_its_argument(void **state)
{
	struct world *world = *state;
	struct job job;

	begin_job(world, &job, 1, keep);
	job.answer = ERR_INTERNAL;
	CHECK_ERR(world_run(&job.task, submit, &job), OK);
	CHECK_ERR(job.answer, OK);
	CHECK(job.runs == 1 && is_kept(world, job.name));
	world_task_end(&job.task);
}

static void a_closure_that_refuses_is_rolled_back_alone(void **state)
{
	struct world *world = *state;
	struct job jobs[MANY];

	for (int i = 0; i < MANY; i++)
		begin_job(world, &jobs[i], i, i % 3 == 1 ? keep_and_refuse : keep);
	run_together(world, jobs, MANY);
	for (int i = 0; i < MANY; i++) {
		CHECK_ERR(jobs[i].answer, i % 3 == 1 ? ERR_GRANT : OK);
		CHECK(is_kept(world, jobs[i].name) == (i % 3 != 1));
		if (i % 3 == 1)
			CHECK_STR(jobs[i].task.task.reason, STR("changed its mind"));
		world_task_end(&jobs[i].task);
	}
}

/* Three together, the second of which refuses: how often each of the three ran. */
static void count_runs(struct world *world, int runs[3])
{
	struct job jobs[3];

	for (int i = 0; i < 3; i++)
		begin_job(world, &jobs[i], i, i == 1 ? keep_and_refuse : keep);
	run_together(world, jobs, 3);
	for (int i = 0; i < 3; i++) {
		runs[i] = jobs[i].runs;
		CHECK(is_kept(world, jobs[i].name) == (i != 1));
		world_task_end(&jobs[i].task);
	}
}

/* SQLite: without savepoints first, and not again where that was in vain a moment ago. */
static void a_refusal_has_others_run_again_once(void **state)
{
	struct world *world = *state;
	bool is_sqlite = str_starts_with(world->database, STR("sqlite:"));
	int runs[3] = { 0 };

	count_runs(world, runs);
	CHECK(runs[0] == (is_sqlite ? 2 : 1) && runs[1] == runs[0] && runs[2] == 1);
	count_runs(world, runs);
	CHECK(runs[0] == 1 && runs[1] == 1 && runs[2] == 1);
}

static void a_lonely_closure_that_refuses_leaves_nothing(void **state)
{
	struct world *world = *state;
	struct job job;

	begin_job(world, &job, 1, keep_and_refuse);
	CHECK_ERR(store_write(&job.task.task, world->store, keep_and_refuse, &job), ERR_GRANT);
	CHECK(!is_kept(world, job.name));
	CHECK_ERR(store_write(&job.task.task, world->store, keep, &job), OK);
	CHECK(is_kept(world, job.name));
	world_task_end(&job.task);
}

/* A constraint that is looked at only when the transaction ends makes the commit itself fail. */
static enum err spoil_commit(struct task *task, struct db *db, void *arg)
{
	struct job *job = arg;

	if (db->driver == &sqlite_driver)
		TRY(db->driver->execute(task, db, "PRAGMA defer_foreign_keys = ON"));
	else
		TRY(db->driver->execute(task, db,
					"ALTER TABLE user_keys ALTER CONSTRAINT"
					" user_keys_user_id_fkey DEFERRABLE INITIALLY DEFERRED"));
	TRY(sql_exec(task, db, &ORPHAN_INSERT,
		     ARGS(sql_text(STR("usr_nobody")), sql_blob(STR("key"))), NULL));
	job->runs++;
	return OK;
}

static void a_failed_commit_is_told_to_all_who_shared_it(void **state)
{
	struct world *world = *state;
	struct job jobs[MANY];
	int64_t count = 0;

	for (int i = 0; i < MANY; i++)
		begin_job(world, &jobs[i], i, i == MANY / 2 ? spoil_commit : keep);
	if (str_starts_with(world->database, STR("sqlite:"))) {
		jobs[MANY / 2].fn = spoil_commit;
		run_together(world, jobs, MANY);
		for (int i = 0; i < MANY; i++)
			CHECK_ERR(jobs[i].answer, ERR_STORE);
		CHECK_ERR(sql_one_int(world_task(world), world_reader(world), &FACT_COUNT, NO_ARGS,
				      &count),
			  OK);
		CHECK(count == 0);
	} else {
		CHECK_ERR(world_run(&jobs[MANY / 2].task, submit, &jobs[MANY / 2]), ERR_STORE);
	}
	CHECK(jobs[MANY / 2].runs == 1);
	CHECK_ERR(world_run(&jobs[0].task, submit, &jobs[0]), OK);
	CHECK(is_kept(world, jobs[0].name));
	for (int i = 0; i < MANY; i++)
		world_task_end(&jobs[i].task);
}

/* As SQLite does by itself when the disk is full; and the closure thinks nothing of it. */
static enum err lose_transaction(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return db->driver->execute(task, db, "ROLLBACK");
}

static void behind_a_transaction_that_ended_nothing_is_kept(void **state)
{
	struct world *world = *state;
	struct job jobs[3];

	/* once without savepoints, and with them, behind a batch in which one refused */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 3; i++)
			begin_job(world, &jobs[i], i, i == 1 ? lose_transaction : keep);
		run_together(world, jobs, 3);
		for (int i = 0; i < 3; i++) {
			CHECK_ERR(jobs[i].answer, ERR_STORE);
			CHECK(!is_kept(world, jobs[i].name));
			world_task_end(&jobs[i].task);
		}
		for (int i = 0; i < 2; i++)
			begin_job(world, &jobs[i], 7 + i, keep_and_refuse);
		run_together(world, jobs, 2);
		for (int i = 0; i < 2; i++)
			world_task_end(&jobs[i].task);
	}
}

static void a_full_queue_refuses_at_once_and_leaves_the_task_with_its_owner(void **state)
{
	struct world *world = *state;
	struct store_config config = world_config(world);
	struct gate gate = GATE_INIT;
	struct job jobs[4];

	store_free(&world->store);
	config.queue = 2;
	config.pool = 1;
	CHECK_ERR(store_open(world_task(world), &config, &world->store), OK);
	for (int i = 0; i < 4; i++)
		begin_job(world, &jobs[i], i, keep);
	CHECK_ERR(store_submit(&jobs[0].task.task, world->store, gate_stand, &gate, after),
		  ERR_PARKED);
	jobs[0].task.task.arg = &jobs[0];
	gate_wait(&gate);
	CHECK_ERR(submit(&jobs[1].task.task, &jobs[1]), ERR_PARKED);
	CHECK_ERR(submit(&jobs[2].task.task, &jobs[2]), ERR_PARKED);
	CHECK_ERR(submit(&jobs[3].task.task, &jobs[3]), ERR_BUSY);
	CHECK(jobs[3].task.task.then == NULL);
	CHECK_ERR(store_write(&jobs[3].task.task, world->store, keep, &jobs[3]), ERR_BUSY);
	gate_open(&gate);
	for (int i = 0; i < 3; i++)
		CHECK_ERR(world_run(&jobs[i].task, come_home, NULL), OK);
	CHECK(jobs[3].runs == 0);
	CHECK_ERR(world_run(&jobs[3].task, submit, &jobs[3]), OK);
	for (int i = 0; i < 4; i++)
		world_task_end(&jobs[i].task);
}

static void closing_the_store_first_runs_what_is_queued(void **state)
{
	struct world *world = *state;
	struct job jobs[MANY];

	for (int i = 0; i < MANY; i++) {
		begin_job(world, &jobs[i], i, keep);
		CHECK_ERR(submit(&jobs[i].task.task, &jobs[i]), ERR_PARKED);
	}
	store_free(&world->store);
	for (int i = 0; i < MANY; i++)
		CHECK_ERR(world_run(&jobs[i].task, come_home, NULL), OK);
	world_restart(world);
	for (int i = 0; i < MANY; i++) {
		CHECK(is_kept(world, jobs[i].name));
		world_task_end(&jobs[i].task);
	}
}

static void sqlite_runs_writes_in_their_order(void **state)
{
	struct world *world = *state;
	struct job jobs[MANY];
	int64_t next_place = 0;

	for (int i = 0; i < MANY; i++) {
		begin_job(world, &jobs[i], i, keep);
		jobs[i].next_place = &next_place;
	}
	run_together(world, jobs, MANY);
	for (int i = 0; i < MANY; i++) {
		CHECK(jobs[i].place == i);
		world_task_end(&jobs[i].task);
	}
}

static void a_ping_is_answered(void **state)
{
	struct world *world = *state;

	CHECK_ERR(store_ping(world_task(world), world->store), OK);
	CHECK_ERR(store_ping(world_task(world), world->store), OK);
}

int main(void)
{
	return RUN_ON_BOTH(
		ONLY_ON(SQLITE, sqlite_runs_writes_in_their_order),
		ONLY_ON(SQLITE, behind_a_transaction_that_ended_nothing_is_kept),
		cmocka_unit_test(a_parked_write_goes_on_after_its_commit_with_its_argument),
		cmocka_unit_test(a_closure_that_refuses_is_rolled_back_alone),
		cmocka_unit_test(a_refusal_has_others_run_again_once),
		cmocka_unit_test(a_lonely_closure_that_refuses_leaves_nothing),
		cmocka_unit_test(a_failed_commit_is_told_to_all_who_shared_it),
		cmocka_unit_test(a_full_queue_refuses_at_once_and_leaves_the_task_with_its_owner),
		cmocka_unit_test(closing_the_store_first_runs_what_is_queued),
		cmocka_unit_test(a_ping_is_answered));
}
