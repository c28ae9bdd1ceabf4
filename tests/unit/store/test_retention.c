/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is over is deleted when its time has come, slice by slice; what a live grant rests on stays.
 */
#include "both.h"
#include "nouns.h"

#include "store/events.h"
#include "store/retention.h"
#include "store/sql.h"
#include "store/widenings.h"

typedef enum err part_fn(struct task *task, struct db *db, struct retention_slice *slice);

struct walk {
	part_fn *part;
	struct retention_slice slice;
};

static enum err write_slice(struct task *task, struct db *db, void *arg)
{
	struct walk *walk = arg;

	return walk->part(task, db, &walk->slice);
}

/* Every slice with that many rows; answers how many rows went. */
static int64_t walk_through(struct world *world, part_fn *part, int64_t before, int64_t limit)
{
	struct walk walk = {
		part,
		{ .after = STR(""), .before = before, .limit = limit },
	};
	int64_t deleted = 0;

	do {
		CHECK_ERR(world_write(world, write_slice, &walk), OK);
		deleted += walk.slice.deleted;
		walk.slice.after = walk.slice.last;
	} while (!walk.slice.is_end);
	return deleted;
}

static enum err revoke_as(struct task *task, struct db *db, void *arg)
{
	bool is_now = false;

	return grant_revoke(task, db, alice_grant.id, CHECK_NOW, *(struct str *)arg, &is_now);
}

static enum err hold(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return grant_set_operator_paused(task, db, alice_grant.id, CHECK_NOW, CHECK_NOW);
}

static void a_live_grant_and_its_installation_stay(void **state)
{
	struct world *world = *state;
	int64_t before = alice_family.idle_expires_at;

	nouns_insert(world);
	CHECK(walk_through(world, retention_families, before, 1) == 0);
	CHECK(walk_through(world, retention_grants, before, 1) == 0);
	CHECK(walk_through(world, retention_families, before + 1, 1) == 1);
	CHECK(walk_through(world, retention_grants, before + 1, 1) == 0);
}

static void a_revoked_grant_goes_after_its_installations_and_with_its_permissions(void **state)
{
	struct world *world = *state;
	struct str by = STR("user");
	struct grant grant;

	nouns_insert(world);
	CHECK_ERR(world_write(world, revoke_as, &by), OK);
	CHECK(walk_through(world, retention_families, CHECK_NOW, 10) == 0);
	CHECK(walk_through(world, retention_grants, CHECK_NOW + 1, 10) == 0); /* has one left */
	CHECK(walk_through(world, retention_families, CHECK_NOW + 1, 10) == 1);
	CHECK(walk_through(world, retention_grants, CHECK_NOW + 1, 10) == 1);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant),
		  ERR_NOT_FOUND);
}

/* Else ending it and asking again a year later would shake the pause off. */
static void one_that_the_operator_holds_paused_stays_unless_the_operator_ended_it(void **state)
{
	struct world *world = *state;
	struct str by = STR("user");

	nouns_insert(world);
	CHECK_ERR(world_write(world, hold, NULL), OK);
	CHECK_ERR(world_write(world, revoke_as, &by), OK);
	CHECK(walk_through(world, retention_families, CHECK_NOW + 1, 10) == 1);
	CHECK(walk_through(world, retention_grants, CHECK_NOW + DAY_MS, 10) == 0);
}

static enum err add_events(struct task *task, struct db *db, void *arg)
{
	static const char *const ids[] = { "evt_1", "evt_2", "evt_3", "evt_consent" };
	const int64_t *at = arg;

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct event event = { .id = str_from_c(ids[i]),
				       .at = at[0] + (int64_t)i,
				       .kind = STR("grant.allowed"),
				       .actor = STR("user"),
				       .user_id = alice.id,
				       .grant_id = alice_grant.id };

		TRY(event_insert(task, db, &event));
	}
	return OK;
}

static void events_go_but_for_the_consent_that_a_permission_rests_on(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW;
	struct event event;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_events, &at), OK);
	CHECK(walk_through(world, retention_events, CHECK_NOW, 2) == 0);
	CHECK(walk_through(world, retention_events, CHECK_NOW + 1, 2) == 1);
	CHECK(walk_through(world, retention_events, CHECK_NOW + DAY_MS, 1) == 2);
	CHECK_ERR(event_find(world_task(world), world_reader(world), STR("evt_consent"), &event),
		  OK);
}

static enum err remove_scope(struct task *task, struct db *db, void *arg)
{
	return grant_remove_permission(task, db, alice_grant.id, STR("mail.send"),
				       *(const int64_t *)arg);
}

static enum err revoke_at(struct task *task, struct db *db, void *arg)
{
	bool is_now = false;

	return grant_revoke(task, db, alice_grant.id, *(const int64_t *)arg, STR("user"), &is_now);
}

/* A further yes to everything, with an event of its own. */
static enum err renew(struct task *task, struct db *db, void *arg)
{
	struct permission permissions[] = { alice_grant.permissions[0],
					    alice_grant.permissions[1] };
	struct grant grant = alice_grant;
	struct str id = STR_NONE;

	grant.updated_at = *(const int64_t *)arg;
	grant.permissions = permissions;
	for (size_t i = 0; i < COUNT_OF(permissions); i++)
		permissions[i].consent_event = STR("evt_renewed");
	return grant_put(task, db, &grant, &id);
}

static bool is_proven(struct world *world)
{
	struct event event;
	enum err err = event_find(world_task(world), world_reader(world), STR("evt_consent"),
				  &event);

	CHECK(err == OK || err == ERR_NOT_FOUND);
	return err == OK;
}

/* How many notes there are of how long that consent must stay. */
static int64_t count_proofs(struct world *world)
{
	static STATEMENT COUNT = { "SELECT count(*) FROM proofs WHERE event_id = $1" };
	int64_t count = 0;

	CHECK_ERR(sql_one_int(world_task(world), world_reader(world), &COUNT,
			      ARGS(sql_text(STR("evt_consent"))), &count),
		  OK);
	return count;
}

/* Of alice's family, by the consent of the events above, which no permission rests on. */
static enum err widen(struct task *task, struct db *db, void *arg)
{
	TRY(renew(task, db, arg));
	return widening_put(task, db, &alice_family, alice_family.ceiling, STR("evt_consent"));
}

/* As long as events are kept, counted from the end of what it proves, not from its own time. */
static void check_proof_goes_after(struct world *world, int64_t ended)
{
	(void)walk_through(world, retention_events, ended, 10);
	CHECK(is_proven(world));
	CHECK(count_proofs(world) > 0);
	(void)walk_through(world, retention_events, ended + 1, 10);
	CHECK(!is_proven(world));
	CHECK(count_proofs(world) == 0);
}

/* GDPR Art. 7(1): who asks for the proof asks for it after the access, not before. */
static void a_consent_that_was_renewed_leaves_its_proof(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW, ended = CHECK_NOW + 2555 * DAY_MS;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_events, &at), OK);
	CHECK_ERR(world_write(world, renew, &ended), OK);
	check_proof_goes_after(world, ended);
}

static void a_scope_that_is_removed_leaves_its_proof(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW, first = CHECK_NOW + DAY_MS, ended = CHECK_NOW + 2555 * DAY_MS;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_events, &at), OK);
	CHECK_ERR(world_write(world, remove_scope, &first), OK);
	(void)walk_through(world, retention_events, ended, 10);
	CHECK(is_proven(world)); /* the other scope is in force by it */
	CHECK_ERR(world_write(world, renew, &ended), OK);
	check_proof_goes_after(world, ended);
}

static void a_consent_for_one_installation_leaves_its_proof(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW, first = CHECK_NOW + DAY_MS, ended = CHECK_NOW + 2555 * DAY_MS;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_events, &at), OK);
	CHECK_ERR(world_write(world, widen, &first), OK);
	(void)walk_through(world, retention_events, ended, 10);
	CHECK(is_proven(world)); /* it is in force by it */
	CHECK_ERR(world_write(world, remove_scope, &first), OK);
	(void)walk_through(world, retention_events, ended, 10);
	CHECK(is_proven(world)); /* the other scope still is */
	CHECK_ERR(world_write(world, renew, &ended), OK);
	check_proof_goes_after(world, ended);
}

static void a_consent_for_an_installation_that_is_forgotten_leaves_its_proof(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW, first = CHECK_NOW + DAY_MS;
	int64_t gone = alice_family.idle_expires_at + 1;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_events, &at), OK);
	CHECK_ERR(world_write(world, widen, &first), OK);
	CHECK(walk_through(world, retention_families, gone, 10) == 1);
	check_proof_goes_after(world, gone);
}

/* Long after the grant itself is forgotten. */
static void a_grant_that_is_over_leaves_the_proof_of_what_it_was(void **state)
{
	struct world *world = *state;
	int64_t at = CHECK_NOW, ended = CHECK_NOW + 2555 * DAY_MS;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_events, &at), OK);
	CHECK_ERR(world_write(world, revoke_at, &ended), OK);
	CHECK(walk_through(world, retention_families, ended + 1, 10) == 1);
	CHECK(walk_through(world, retention_grants, ended + 1, 10) == 1);
	check_proof_goes_after(world, ended);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_live_grant_and_its_installation_stay),
		cmocka_unit_test(
			a_revoked_grant_goes_after_its_installations_and_with_its_permissions),
		cmocka_unit_test(
			one_that_the_operator_holds_paused_stays_unless_the_operator_ended_it),
		cmocka_unit_test(events_go_but_for_the_consent_that_a_permission_rests_on),
		cmocka_unit_test(a_consent_that_was_renewed_leaves_its_proof),
		cmocka_unit_test(a_consent_for_one_installation_leaves_its_proof),
		cmocka_unit_test(a_consent_for_an_installation_that_is_forgotten_leaves_its_proof),
		cmocka_unit_test(a_scope_that_is_removed_leaves_its_proof),
		cmocka_unit_test(a_grant_that_is_over_leaves_the_proof_of_what_it_was));
}
