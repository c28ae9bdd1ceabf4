/* SPDX-License-Identifier: Apache-2.0 */
/* Families, standing and events, on both databases. */
#include "both.h"
#include "nouns.h"
#include "store/events.h"
#include "store/grants.h"

struct rotate {
	struct family next;
	int64_t presented;
};

static enum err rotate_family(struct task *task, struct db *db, void *arg)
{
	const struct rotate *rotate = arg;

	return family_rotate(task, db, &rotate->next, rotate->presented);
}

static struct rotate next_of(const struct family *family, int64_t now)
{
	struct rotate rotate = { .next = *family, .presented = family->generation };

	rotation_advance(&rotate.next, now);
	rotate.next.last_used_at = now;
	rotate.next.idle_expires_at = now + 30 * DAY_MS;
	return rotate;
}

static enum err take_family(struct task *task, struct db *db, void *arg)
{
	return family_take(task, db, alice_family.id, arg);
}

static enum err count_repeat(struct task *task, struct db *db, void *arg)
{
	return family_set_repeats(task, db, arg);
}

static enum err revoke_family(struct task *task, struct db *db, void *arg)
{
	return family_revoke(task, db, alice_family.id, CHECK_NOW + 20, STR("reused"), arg);
}

static void a_family_rotates_only_from_its_current_generation(void **state)
{
	struct world *world = *state;
	struct rotate rotate = next_of(&alice_family, CHECK_NOW + 1000);
	struct family family = { 0 };

	nouns_insert(world);
	CHECK_ERR(world_write(world, rotate_family, &rotate), OK);
	CHECK_ERR(world_write(world, rotate_family, &rotate), ERR_CONFLICT);
	CHECK_ERR(family_find(world_task(world), world_reader(world), alice_family.id, &family),
		  OK);
	CHECK(family.generation == 2 && family.last_used_at == CHECK_NOW + 1000);
	CHECK(family.mark_count == rotate.next.mark_count);
	CHECK(family.marks[family.mark_count - 1].generation == 2);
	CHECK_STR(family.seed, alice_family.seed);
	CHECK(family.ceiling.count == 2 && family.key_thumbprint.at == NULL);
}

struct use {
	const struct grant *as_read;
	int64_t at;
};

static enum err note_use(struct task *task, struct db *db, void *arg)
{
	const struct use *use = arg;

	return grant_note_use(task, db, use->as_read, use->at);
}

static struct grant used_at(struct world *world, const struct grant *as_read, int64_t at)
{
	struct use use = { as_read, at };
	struct grant grant = { 0 };

	CHECK_ERR(world_write(world, note_use, &use), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	return grant;
}

static void a_grant_learns_of_its_use_to_the_minute_and_never_back(void **state)
{
	struct world *world = *state;
	struct grant unused = alice_grant, used;

	nouns_insert(world);
	used = used_at(world, &unused, CHECK_NOW + SECOND_MS);
	CHECK(used.last_used_at == CHECK_NOW + SECOND_MS);
	CHECK(used_at(world, &used, used.last_used_at + MINUTE_MS).last_used_at ==
	      used.last_used_at);
	/* who has read it before the other, and comes later with an earlier time */
	CHECK(used_at(world, &unused, CHECK_NOW).last_used_at == used.last_used_at);
	CHECK(used_at(world, &used, used.last_used_at + MINUTE_MS + 1).last_used_at ==
	      used.last_used_at + MINUTE_MS + 1);
}

static void a_revoked_family_rotates_no_more(void **state)
{
	struct world *world = *state;
	struct rotate rotate = next_of(&alice_family, CHECK_NOW + 1000);
	struct family family = { 0 };
	bool now = false;

	nouns_insert(world);
	CHECK_ERR(world_write(world, revoke_family, &now), OK);
	CHECK(now);
	CHECK_ERR(world_write(world, revoke_family, &now), OK);
	CHECK(!now);
	CHECK_ERR(world_write(world, rotate_family, &rotate), ERR_CONFLICT);
	CHECK_ERR(world_write(world, take_family, &family), OK);
	CHECK(family.generation == 1 && family.revoked_at == CHECK_NOW + 20);
	CHECK_STR(family.revoked_why, STR("reused"));
}

static void repeats_are_counted_on_a_taken_family(void **state)
{
	struct world *world = *state;
	struct family family = { 0 };
	struct family *families = NULL;
	size_t count = 0;

	nouns_insert(world);
	CHECK_ERR(world_write(world, take_family, &family), OK);
	family.repeats = 3;
	family.repeats_day = CHECK_NOW / DAY_MS;
	CHECK_ERR(world_write(world, count_repeat, &family), OK);
	CHECK_ERR(family_list(world_task(world), world_reader(world), alice_grant.id, &families,
			      &count),
		  OK);
	CHECK(count == 1 && families[0].repeats == 3);
	CHECK_ERR(family_list(world_task(world), world_reader(world), STR("gra_none"), &families,
			      &count),
		  OK);
	CHECK(count == 0);
}

static enum err insert_three(struct task *task, struct db *db, void *arg)
{
	static const char *const ids[] = { "fam_one", "fam_two", "fam_three" };
	struct family family = *(const struct family *)arg;

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		family.id = str_from_c(ids[i]);
		family.created_at = CHECK_NOW + (int64_t)i + 1;
		TRY(family_insert(task, db, &family));
	}
	return OK;
}

static enum err revoke_two(struct task *task, struct db *db, void *arg)
{
	bool is_now;

	(void)arg;
	return family_revoke(task, db, STR("fam_two"), CHECK_NOW, STR("test"), &is_now);
}

static void the_newest_live_ones_are_listed_and_no_more_than_asked_for(void **state)
{
	struct world *world = *state;
	struct family_page page = { alice_grant.id, CHECK_NOW, 2 };
	struct family family = { 0 };
	struct family *families = NULL;
	size_t count = 0;

	nouns_insert(world);
	CHECK_ERR(world_write(world, take_family, &family), OK);
	CHECK_ERR(world_write(world, insert_three, &family), OK);
	CHECK_ERR(world_write(world, revoke_two, NULL), OK);
	CHECK_ERR(
		family_list_live(world_task(world), world_reader(world), &page, &families, &count),
		OK);
	CHECK(count == 2);
	CHECK_STR(families[0].id, STR("fam_three"));
	CHECK_STR(families[1].id, STR("fam_one"));
	page.now = family.idle_expires_at;
	CHECK_ERR(
		family_list_live(world_task(world), world_reader(world), &page, &families, &count),
		OK);
	CHECK(count == 0);
}

static void all_that_a_decision_looks_at_is_read_together(void **state)
{
	struct world *world = *state;
	struct standing standing = { 0 };

	nouns_insert(world);
	CHECK_ERR(standing_find_by_family(world_task(world), world_reader(world), alice_family.id,
					  &standing),
		  OK);
	CHECK_STR(standing.family.id, alice_family.id);
	CHECK_STR(standing.grant.id, alice_grant.id);
	CHECK_STR(standing.user.username, alice.username);
	CHECK_STR(standing.client.secret_hash, mail_agent.secret_hash);
	CHECK(standing.client.redirect_count == 2 && standing.grant.permission_count == 2);
	standing = (struct standing){ 0 };
	CHECK_ERR(standing_find_by_grant(world_task(world), world_reader(world), alice_grant.id,
					 &standing),
		  OK);
	CHECK(standing.family.id.at == NULL && standing.grant.permission_count == 2);
	CHECK_ERR(standing_find_by_family(world_task(world), world_reader(world), STR("fam_none"),
					  &standing),
		  ERR_NOT_FOUND);
	CHECK_ERR(standing_find_by_grant(world_task(world), world_reader(world), STR("gra_none"),
					 &standing),
		  ERR_NOT_FOUND);
}

static enum err add_event(struct task *task, struct db *db, void *arg)
{
	return event_insert(task, db, arg);
}

/* evt_a … evt_e, one a minute; c is bob's, d is of another agent */
static void insert_events(struct world *world)
{
	static const char *const ids[] = { "evt_a", "evt_b", "evt_c", "evt_d", "evt_e" };

	nouns_insert(world);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct event event = { .id = str_from_c(ids[i]),
				       .at = CHECK_NOW + (int64_t)i * MINUTE_MS,
				       .kind = i == 0 ? STR("grant.allowed") : STR("token.issued"),
				       .actor = STR("agent"),
				       .user_id = i == 2 ? bob.id : alice.id,
				       .client_id = i == 3 ? STR("robot") : mail_agent.id,
				       .grant_id = alice_grant.id,
				       .sealed = STR("\0sealed") };

		CHECK_ERR(world_write(world, add_event, &event), OK);
	}
}

static void check_events(struct world *world, const struct event_filter *filter, int64_t limit,
			 const char *expected)
{
	struct event *events = NULL;
	size_t count = 0;

	CHECK_ERR(
		event_list(world_task(world), world_reader(world), filter, limit, &events, &count),
		OK);
	CHECK(count == str_from_c(expected).len);
	for (size_t i = 0; i < count; i++)
		CHECK(events[i].id.at[4] == expected[i]);
}

static void events_are_listed_newest_first_by_what_is_asked(void **state)
{
	struct world *world = *state;
	struct event_filter filter = { 0 };

	insert_events(world);
	check_events(world, &filter, 10, "edcba");
	check_events(world, &filter, 2, "ed");
	filter.before = STR("evt_d");
	check_events(world, &filter, 10, "cba");
	filter.user_id = alice.id;
	check_events(world, &filter, 10, "ba");
	filter.before = STR_NONE;
	check_events(world, &filter, 10, "edba");
	filter.client_id = mail_agent.id;
	check_events(world, &filter, 10, "eba");
	filter.since = CHECK_NOW + MINUTE_MS;
	check_events(world, &filter, 10, "eb");
	filter.grant_id = STR("gra_none");
	check_events(world, &filter, 10, "");
}

static void uses_are_counted_by_day_and_the_newest_is_known(void **state)
{
	struct world *world = *state;
	struct event_filter uses = { .user_id = alice.id, .since = CHECK_NOW };
	struct event_day *days = NULL;
	struct event event = { 0 };
	size_t count = 0;
	int64_t at = -1;

	CHECK_ERR(event_newest(world_task(world), world_reader(world), &at), OK);
	CHECK(at == 0);
	insert_events(world);
	CHECK_ERR(event_newest(world_task(world), world_reader(world), &at), OK);
	CHECK(at == CHECK_NOW + 4 * MINUTE_MS);
	CHECK_ERR(event_count_uses(world_task(world), world_reader(world), &uses, &days, &count),
		  OK);
	CHECK(count == 1 && days[0].day == CHECK_NOW / DAY_MS && days[0].count == 3);
	uses.client_id = STR("robot");
	CHECK_ERR(event_count_uses(world_task(world), world_reader(world), &uses, &days, &count),
		  OK);
	CHECK(count == 1 && days[0].count == 1);
	CHECK_ERR(event_find(world_task(world), world_reader(world), STR("evt_c"), &event), OK);
	CHECK_STR(event.sealed, STR("\0sealed"));
	CHECK(event.details.at == NULL && event.family_id.at == NULL);
	CHECK_ERR(event_find(world_task(world), world_reader(world), STR("evt_z"), &event),
		  ERR_NOT_FOUND);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_family_rotates_only_from_its_current_generation),
		cmocka_unit_test(a_grant_learns_of_its_use_to_the_minute_and_never_back),
		cmocka_unit_test(a_revoked_family_rotates_no_more),
		cmocka_unit_test(repeats_are_counted_on_a_taken_family),
		cmocka_unit_test(the_newest_live_ones_are_listed_and_no_more_than_asked_for),
		cmocka_unit_test(all_that_a_decision_looks_at_is_read_together),
		cmocka_unit_test(events_are_listed_newest_first_by_what_is_asked),
		cmocka_unit_test(uses_are_counted_by_day_and_the_newest_is_known));
}
