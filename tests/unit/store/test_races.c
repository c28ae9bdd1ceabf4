/* SPDX-License-Identifier: Apache-2.0 */
/* Many at once, on both databases: one winner, no lost update, and revoked is dead. */
#include <stdatomic.h>

#include "both.h"
#include "nouns.h"

#define RACERS 64

static const struct str code_hash = STR_INIT("\0hash of a code");

struct racer {
	pthread_t thread;
	struct world_task task;
	struct world *world;
	pthread_barrier_t *start;
	enum err answer;
	struct auth_request spent;
};

static enum err make_code(struct task *task, struct db *db, void *arg)
{
	struct auth_request request = alice_request;

	(void)arg;
	TRY(auth_request_insert(task, db, &request));
	request.state = REQUEST_CODE;
	request.user_id = alice.id;
	request.granted = alice_request.scope;
	request.decided_at = CHECK_NOW;
	request.code_hash = code_hash;
	request.code_expires_at = CHECK_NOW + MINUTE_MS;
	return auth_request_decide(task, db, &request);
}

static enum err spend(struct task *task, struct db *db, void *arg)
{
	struct racer *racer = arg;

	racer->spent.code_hash = code_hash;
	racer->spent.spent_at = CHECK_NOW;
	racer->spent.family_id = alice_family.id;
	return auth_request_spend(task, db, &racer->spent);
}

static void *race(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(racer->start);
	racer->answer = store_write(&racer->task.task, racer->world->store, spend, racer);
	return NULL;
}

static void of_64_who_spend_one_code_one_wins(void **state)
{
	struct world *world = *state;
	struct racer *racers = test_calloc(RACERS, sizeof(*racers));
	pthread_barrier_t start;
	size_t winners = 0;

	nouns_insert(world);
	CHECK_ERR(world_write(world, make_code, NULL), OK);
	pthread_barrier_init(&start, NULL, RACERS);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i].world = world;
		racers[i].start = &start;
		world_task_begin(world, &racers[i].task);
		CHECK(pthread_create(&racers[i].thread, NULL, race, &racers[i]) == 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		if (racers[i].answer == OK)
			winners++;
		else
			CHECK_ERR(racers[i].answer, ERR_CONFLICT);
		world_task_end(&racers[i].task);
	}
	CHECK(winners == 1);
	pthread_barrier_destroy(&start);
	test_free(racers);
}

/* One turns the family on and on, the other revokes its grant. */
struct turner {
	struct world *world;
	struct world_task task;
	struct family family;
	_Atomic bool is_revoked; /* acknowledged */
	bool turned_after;	 /* a rotation that began later succeeded */
	int64_t turns;
};

static enum err turn(struct task *task, struct db *db, void *arg)
{
	struct turner *turner = arg;

	return family_rotate(task, db, &turner->family, turner->family.generation - 1);
}

static void *keep_turning(void *arg)
{
	struct turner *turner = arg;
	enum err err = OK;

	while (err == OK) {
		bool was_revoked = atomic_load(&turner->is_revoked);

		rotation_advance(&turner->family, turner->family.last_used_at);
		turner->family.last_used_at += SECOND_MS;
		err = store_write(&turner->task.task, turner->world->store, turn, turner);
		if (err == OK) {
			turner->turns++;
			turner->turned_after = turner->turned_after || was_revoked;
		}
	}
	return NULL;
}

static enum err revoke(struct task *task, struct db *db, void *arg)
{
	return grant_revoke(task, db, alice_grant.id, CHECK_NOW, STR("user"), arg);
}

static void no_rotation_succeeds_after_the_revocation_was_acknowledged(void **state)
{
	struct world *world = *state;
	struct turner turner = { .world = world, .family = alice_family };
	struct family family = { 0 };
	pthread_t thread;
	bool now = false;

	nouns_insert(world);
	world_task_begin(world, &turner.task);
	CHECK(pthread_create(&thread, NULL, keep_turning, &turner) == 0);
	while (family.generation < 20)
		CHECK_ERR(family_find(world_task(world), world_reader(world), alice_family.id,
				      &family),
			  OK);
	CHECK_ERR(world_write(world, revoke, &now), OK);
	atomic_store(&turner.is_revoked, true);
	pthread_join(thread, NULL);
	CHECK(now && !turner.turned_after);
	CHECK_ERR(family_find(world_task(world), world_reader(world), alice_family.id, &family),
		  OK);
	CHECK(family.revoked_at != 0 && family.generation == 1 + turner.turns);
	world_task_end(&turner.task);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(of_64_who_spend_one_code_one_wins),
		cmocka_unit_test(no_rotation_succeeds_after_the_revocation_was_acknowledged));
}
