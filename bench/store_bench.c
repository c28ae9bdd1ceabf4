/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotation-shaped writes: one UPDATE of a family and one event, through the store with many tasks
 * in flight from two threads, against SQLite driven by hand with 64 rows per transaction in the
 * same run (the store must reach 0.4 of it).
 *
 *	store_bench [DIR [POSTGRESQL-URI]]
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/task.h"
#include "crypto/random.h"
#include "store/clients.h"
#include "store/events.h"
#include "store/families.h"
#include "store/grants.h"
#include "store/store.h"
#include "store/users.h"

#define THREADS	  2
#define IN_FLIGHT 128 /* per thread */
#define FAMILIES  (THREADS * IN_FLIGHT)
#define RUN_MS	  3000
#define RAW_BATCH 64
#define GUARD	  0.4

struct loop;

/* A refresh that is sent again as soon as it is answered; its family is its own. */
struct flight {
	struct task task; /* first: home is told the task only */
	struct loop *loop;
	struct family family;
	struct event event;
	struct flight *next;
};

struct loop {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t came;
	struct flight *home;
	struct store *store;
	struct clock *clock;
	int64_t until;
	int64_t done;
	int64_t failed;
	struct flight flights[IN_FLIGHT];
};

static const struct str resource = STR_INIT("https://grantd.localhost:8443/r/mail");
static const struct str scope_names[] = { STR_INIT("mail.read"), STR_INIT("mail.send") };

static void die(struct task *task, enum err err)
{
	fprintf(stderr, "store_bench: %s: %.*s\n", err_name(err), STR_FMT(task->reason));
	exit(1);
}

static void come_home(struct task *task)
{
	struct flight *flight = (struct flight *)task;
	struct loop *loop = flight->loop;

	pthread_mutex_lock(&loop->lock);
	flight->next = loop->home;
	loop->home = flight;
	pthread_cond_signal(&loop->came);
	pthread_mutex_unlock(&loop->lock);
}

static enum err rotate(struct task *task, struct db *db, void *arg)
{
	const struct flight *flight = arg;

	TRY(family_rotate(task, db, &flight->family, flight->family.generation - 1));
	return event_insert(task, db, &flight->event);
}

static enum err note(struct task *task, enum err result, void *arg)
{
	struct flight *flight = arg;

	(void)task;
	flight->loop->done += result == OK;
	flight->loop->failed += result != OK;
	return result;
}

static void send_off(struct flight *flight)
{
	struct loop *loop = flight->loop;
	struct family *family = &flight->family;

	task_end(&flight->task);
	task_begin(&flight->task, loop->clock, NULL);
	flight->task.home = come_home;
	rotation_advance(family, flight->task.now);
	family->last_used_at = flight->task.now;
	flight->event = (struct event){
		.id = random_id_at(&flight->task.arena, "evt_", flight->task.now),
		.at = flight->task.now,
		.kind = STR("token.refreshed"),
		.actor = STR("agent"),
		.user_id = family->user_id,
		.client_id = family->client_id,
		.grant_id = family->grant_id,
		.family_id = family->id,
		.resource = resource,
	};
	if (store_submit(&flight->task, loop->store, rotate, flight, note) != ERR_PARKED)
		die(&flight->task, ERR_BUSY);
}

static struct flight *take_home(struct loop *loop)
{
	struct flight *flight;

	pthread_mutex_lock(&loop->lock);
	while (loop->home == NULL)
		pthread_cond_wait(&loop->came, &loop->lock);
	flight = loop->home;
	loop->home = NULL;
	pthread_mutex_unlock(&loop->lock);
	return flight;
}

static void *run_loop(void *arg)
{
	struct loop *loop = arg;
	size_t away = IN_FLIGHT;

	for (size_t i = 0; i < IN_FLIGHT; i++)
		send_off(&loop->flights[i]);
	while (away > 0) {
		struct flight *flight = take_home(loop);

		while (flight != NULL) {
			struct flight *next = flight->next;

			if (task_go_on(&flight->task) != OK)
				die(&flight->task, flight->task.result);
			if (clock_monotonic() < loop->until)
				send_off(flight);
			else
				away--;
			flight = next;
		}
	}
	return NULL;
}

static enum err insert_people(struct task *task, struct db *db, void *arg)
{
	struct user user = { .id = STR("usr_bench"),
			     .username = STR("bench"),
			     .wrapped_key = STR("key"),
			     .version = 1,
			     .created_at = task->now };
	struct client client = { .id = STR("bench"),
				 .name = STR("Bench"),
				 .kind = STR("operator"),
				 .grant_types = GRANT_AUTHORIZATION_CODE,
				 .created_at = task->now };

	(void)arg;
	TRY(user_insert(task, db, &user));
	return client_insert(task, db, &client);
}

static enum err insert_family(struct task *task, struct db *db, void *arg)
{
	const struct family *family = arg;
	struct permission permission = { .scope = scope_names[0],
					 .expires_at = NEVER,
					 .granted_at = task->now };
	struct grant grant = { .id = family->grant_id,
			       .user_id = family->user_id,
			       .client_id = family->client_id,
			       .resource = STR_JOIN(&task->arena, resource, family->grant_id),
			       .basis = STR("person"),
			       .created_at = task->now,
			       .updated_at = task->now,
			       .expires_at = NEVER,
			       .permissions = &permission,
			       .permission_count = 1 };
	struct str id = STR_NONE;

	TRY(grant_put(task, db, &grant, &id));
	return family_insert(task, db, family);
}

static struct family new_family(struct task *task)
{
	return (struct family){
		.id = random_id(&task->arena, "fam_"),
		.user_id = STR("usr_bench"),
		.grant_id = random_id(&task->arena, "gra_"),
		.client_id = STR("bench"),
		.ceiling = { scope_names, COUNT_OF(scope_names) },
		.seed = STR("0123456789abcdef0123456789abcdef"),
		.root_number = 1,
		.generation = 1,
		.marks = { { .at = task->now, .generation = 1 } },
		.mark_count = 1,
		.auth_time = task->now,
		.created_at = task->now,
		.last_used_at = task->now,
		.idle_expires_at = task->now + 30 * DAY_MS,
	};
}

static void fill(struct task *task, struct store *store, struct loop *loops)
{
	enum err err = store_write(task, store, insert_people, NULL);

	for (size_t i = 0; i < FAMILIES && err == OK; i++) {
		struct flight *flight = &loops[i / IN_FLIGHT].flights[i % IN_FLIGHT];

		flight->loop = &loops[i / IN_FLIGHT];
		flight->family = new_family(task);
		err = store_write(task, store, insert_family, &flight->family);
	}
	if (err != OK)
		die(task, err);
}

static double run_store(struct task *task, const struct store_config *config, struct loop *loops)
{
	struct store *store = NULL;
	int from = 0;
	int to = 0;
	int64_t begin;
	int64_t done = 0;
	enum err err = store_migrate(task, config, &from, &to);

	if (err == OK)
		err = store_open(task, config, &store);
	if (err != OK)
		die(task, err);
	fill(task, store, loops);
	begin = clock_monotonic();
	for (size_t i = 0; i < THREADS; i++) {
		loops[i].store = store;
		loops[i].clock = config->clock;
		loops[i].until = begin + RUN_MS;
		pthread_mutex_init(&loops[i].lock, NULL);
		pthread_cond_init(&loops[i].came, NULL);
		pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(loops[i].thread, NULL);
		done += loops[i].done;
	}
	begin = clock_monotonic() - begin;
	store_free(&store);
	return (double)done * 1000.0 / (double)begin;
}

static void raw_exec(sqlite3 *handle, const char *text)
{
	if (sqlite3_exec(handle, text, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "store_bench: %s\n", sqlite3_errmsg(handle));
		exit(1);
	}
}

static sqlite3_stmt *raw_prepare(sqlite3 *handle, const char *text)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(handle, text, -1, &statement, NULL) != SQLITE_OK) {
		fprintf(stderr, "store_bench: %s\n", sqlite3_errmsg(handle));
		exit(1);
	}
	return statement;
}

static void bind_str(sqlite3_stmt *statement, int at, struct str text)
{
	sqlite3_bind_text(statement, at, text.at, (int)text.len, SQLITE_STATIC);
}

static void raw_step(sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE)
		exit(1);
	sqlite3_reset(statement);
}

static void raw_rotate(struct task *task, sqlite3_stmt *update, sqlite3_stmt *insert,
		       struct family *family)
{
	struct str marks;

	rotation_advance(family, task->now);
	marks = rotation_marks_encode(&task->arena, family);
	sqlite3_bind_int64(update, 1, family->generation);
	sqlite3_bind_blob(update, 2, marks.at, (int)marks.len, SQLITE_STATIC);
	sqlite3_bind_int64(update, 3, task->now);
	bind_str(update, 4, family->id);
	sqlite3_bind_int64(update, 5, family->generation - 1);
	raw_step(update);
	bind_str(insert, 1, random_id_at(&task->arena, "evt_", task->now));
	sqlite3_bind_int64(insert, 2, task->now);
	bind_str(insert, 3, family->user_id);
	bind_str(insert, 4, family->client_id);
	bind_str(insert, 5, family->grant_id);
	bind_str(insert, 6, family->id);
	bind_str(insert, 7, resource);
	raw_step(insert);
}

/* The same rows by hand in the same database: what SQLite itself gives at 64 per transaction. */
static double run_raw(const char *file, struct clock *clock, struct loop *loops)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *update, *insert;
	int64_t begin;
	int64_t done = 0;

	if (sqlite3_open(file, &handle) != SQLITE_OK)
		exit(1);
	raw_exec(handle, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
			 "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=4000");
	update = raw_prepare(handle, "UPDATE families SET generation = ?1, rotation_window = ?2,"
				     " last_used_at = ?3, idle_expires_at = ?3"
				     " WHERE id = ?4 AND generation = ?5 AND revoked_at IS NULL");
	insert = raw_prepare(handle, "INSERT INTO events (id, at, kind, actor, user_id, client_id,"
				     " grant_id, family_id, resource) VALUES"
				     " (?1, ?2, 'token.refreshed', 'agent', ?3, ?4, ?5, ?6, ?7)");
	begin = clock_monotonic();
	while (clock_monotonic() < begin + RUN_MS) {
		struct task task;

		task_begin(&task, clock, NULL);
		raw_exec(handle, "BEGIN IMMEDIATE");
		for (size_t i = 0; i < RAW_BATCH; i++, done++) {
			size_t number = (size_t)done % FAMILIES;

			raw_rotate(&task, update, insert,
				   &loops[number / IN_FLIGHT].flights[number % IN_FLIGHT].family);
		}
		raw_exec(handle, "COMMIT");
		task_end(&task);
	}
	begin = clock_monotonic() - begin;
	sqlite3_finalize(update);
	sqlite3_finalize(insert);
	sqlite3_close(handle);
	return (double)done * 1000.0 / (double)begin;
}

static struct loop *new_loops(void)
{
	struct loop *loops = calloc(THREADS, sizeof(*loops));

	if (loops == NULL)
		abort();
	return loops;
}

static double bench_sqlite(struct task *task, struct clock *clock, const char *dir)
{
	struct str file = str_printf(&task->arena, "%s/store_bench-%ld.db", dir, (long)getpid());
	struct store_config config = { .database = STR_JOIN(&task->arena, STR("sqlite:"), file),
				       .threads = 1, /* who opens it reads the schema */
				       .clock = clock };
	struct loop *loops = new_loops();
	double store = run_store(task, &config, loops);
	double raw = run_raw(file.at, clock, loops);

	printf("sqlite, by hand, %d rows per transaction: %8.0f rotations/s\n", RAW_BATCH, raw);
	printf("sqlite, store, %3d tasks in flight:       %8.0f rotations/s, ratio %.2f\n",
	       FAMILIES, store, store / raw);
	unlink(file.at);
	unlink(STR_JOIN(&task->arena, file, STR("-wal")).at);
	unlink(STR_JOIN(&task->arena, file, STR("-shm")).at);
	unlink(STR_JOIN(&task->arena, file, STR(".lock")).at);
	free(loops);
	return store / raw;
}

int main(int argc, char **argv)
{
	struct clock clock = { 0 };
	struct task task;
	double ratio;

	task_begin(&task, &clock, NULL);
	ratio = bench_sqlite(&task, &clock, argc > 1 ? argv[1] : ".");
	if (argc > 2) {
		struct store_config config = { .database = str_from_c(argv[2]),
					       .threads = 1,
					       .clock = &clock };
		struct loop *loops = new_loops();

		printf("postgresql, store, %3d tasks in flight:   %8.0f rotations/s\n", FAMILIES,
		       run_store(&task, &config, loops));
		free(loops);
	}
	task_end(&task);
	return ratio >= GUARD ? 0 : 1;
}
