/* SPDX-License-Identifier: Apache-2.0 */
/* Families, standing, events, sessions, counters and the outbox, on both databases. */
#include "both.h"
#include "nouns.h"
#include "store/counters.h"
#include "store/events.h"
#include "store/outbox.h"
#include "store/sessions.h"

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

static void a_grant_learns_of_its_use_once_a_minute(void **state)
{
	struct world *world = *state;
	struct rotate rotate = next_of(&alice_family, CHECK_NOW + 1000);
	struct grant grant = { 0 };

	nouns_insert(world);
	/* the first use is the family's own beginning */
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.last_used_at == alice_family.last_used_at);
	CHECK_ERR(world_write(world, rotate_family, &rotate), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.last_used_at == alice_family.last_used_at);
	rotate = next_of(&rotate.next, alice_family.last_used_at + 1 + MINUTE_MS);
	CHECK_ERR(world_write(world, rotate_family, &rotate), OK);
	CHECK_ERR(grant_find(world_task(world), world_reader(world), alice_grant.id, &grant), OK);
	CHECK(grant.last_used_at == alice_family.last_used_at + 1 + MINUTE_MS);
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
	CHECK_STR(standing.user.wrapped_key, alice.wrapped_key);
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

static enum err add_session(struct task *task, struct db *db, void *arg)
{
	return session_insert(task, db, arg);
}

static enum err touch(struct task *task, struct db *db, void *arg)
{
	return session_touch(task, db, *(struct str *)arg, CHECK_NOW + 7);
}

static enum err end_others(struct task *task, struct db *db, void *arg)
{
	return session_end_all(task, db, alice.id, STR("\0one"), CHECK_NOW + 8, arg);
}

static enum err end_session(struct task *task, struct db *db, void *arg)
{
	return session_end(task, db, *(struct str *)arg, CHECK_NOW + 9);
}

static enum err sweep_sessions(struct task *task, struct db *db, void *arg)
{
	int64_t *times = arg;

	return session_sweep(task, db, times[0], 10, &times[1]);
}

static void sessions_end_and_are_swept(void **state)
{
	struct world *world = *state;
	struct session session = { .hash = STR("\0one"),
				   .user_id = alice.id,
				   .browser_hash = STR("browser"),
				   .created_at = CHECK_NOW,
				   .last_seen_at = CHECK_NOW,
				   .expires_at = CHECK_NOW + HOUR_MS };
	struct session *sessions = NULL;
	struct str one = STR("\0one");
	int64_t ended = 0;
	int64_t times[2] = { CHECK_NOW + 10, 0 };
	size_t count = 0;
	bool known = false;

	nouns_insert(world);
	CHECK_ERR(world_write(world, add_session, &session), OK);
	session.hash = STR("\0two");
	session.created_at++;
	CHECK_ERR(world_write(world, add_session, &session), OK);
	CHECK_ERR(session_list(world_task(world), world_reader(world), alice.id, CHECK_NOW,
			       &sessions, &count),
		  OK);
	CHECK(count == 2);
	CHECK_STR(sessions[0].hash, STR("\0two"));
	CHECK_ERR(world_write(world, touch, &one), OK);
	CHECK_ERR(world_write(world, end_others, &ended), OK);
	CHECK(ended == 1);
	CHECK_ERR(session_find(world_task(world), world_reader(world), one, &session), OK);
	CHECK(session.ended_at == 0 && session.last_seen_at == CHECK_NOW + 7);
	CHECK_ERR(world_write(world, end_session, &one), OK);
	CHECK_ERR(session_find(world_task(world), world_reader(world), one, &session), OK);
	CHECK(session.ended_at == CHECK_NOW + 9);
	CHECK_ERR(session_knows_browser(world_task(world), world_reader(world), alice.id,
					STR("browser"), CHECK_NOW, &known),
		  OK);
	CHECK(known);
	CHECK_ERR(session_knows_browser(world_task(world), world_reader(world), bob.id,
					STR("browser"), CHECK_NOW, &known),
		  OK);
	CHECK(!known);
	CHECK_ERR(world_write(world, sweep_sessions, times), OK);
	CHECK(times[1] == 2);
	CHECK_ERR(session_find(world_task(world), world_reader(world), one, &session),
		  ERR_NOT_FOUND);
}

static enum err count_one(struct task *task, struct db *db, void *arg)
{
	struct counter *counter = arg;

	return counter_add(task, db, counter, CHECK_NOW, CHECK_NOW + 5);
}

static enum err sweep_counters(struct task *task, struct db *db, void *arg)
{
	return counter_sweep(task, db, CHECK_NOW + 6, 10, arg);
}

static enum err clear_counter(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return counter_clear(task, db, STR("login:alice"));
}

static void counters_count_within_their_window(void **state)
{
	struct world *world = *state;
	struct counter counter = { .name = STR("login:alice"), .window = 7 };
	int64_t swept = 0;

	for (int64_t i = 1; i <= 3; i++) {
		CHECK_ERR(world_write(world, count_one, &counter), OK);
		CHECK(counter.used == i);
	}
	counter.window = 8;
	CHECK_ERR(counter_get(world_task(world), world_reader(world), &counter), OK);
	CHECK(counter.used == 0 && counter.last_at == 0);
	counter.window = 7;
	CHECK_ERR(counter_get(world_task(world), world_reader(world), &counter), OK);
	CHECK(counter.used == 3 && counter.last_at == CHECK_NOW);
	CHECK_ERR(world_write(world, sweep_counters, &swept), OK);
	CHECK(swept == 1);
	CHECK_ERR(world_write(world, count_one, &counter), OK);
	CHECK(counter.used == 1);
	CHECK_ERR(world_write(world, clear_counter, NULL), OK);
	CHECK_ERR(world_write(world, count_one, &counter), OK);
	CHECK(counter.used == 1);
}

static enum err add_item(struct task *task, struct db *db, void *arg)
{
	return outbox_insert(task, db, arg);
}

static enum err take_item(struct task *task, struct db *db, void *arg)
{
	return outbox_take(task, db, CHECK_NOW + 10, CHECK_NOW + 1000, arg);
}

static enum err delete_item(struct task *task, struct db *db, void *arg)
{
	const struct outbox_item *item = arg;
	bool is_ours = false;

	TRY(outbox_delete(task, db, item, &is_ours));
	return is_ours ? OK : ERR_CONFLICT;
}

static enum err defer_item(struct task *task, struct db *db, void *arg)
{
	return outbox_defer(task, db, arg, CHECK_NOW);
}

/* When the first one's time was up. */
static enum err take_item_later(struct task *task, struct db *db, void *arg)
{
	return outbox_take(task, db, CHECK_NOW + 1000, CHECK_NOW + 2000, arg);
}

static void what_is_due_is_taken_once_until_its_retry(void **state)
{
	struct world *world = *state;
	struct outbox_item item = { .id = STR("out_b"),
				    .kind = STR("on_stop"),
				    .user_id = alice.id,
				    .payload = STR("{}"),
				    .due_at = CHECK_NOW + 2,
				    .created_at = CHECK_NOW };
	struct outbox_item taken = { 0 };

	CHECK_ERR(world_write(world, take_item, &taken), ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, add_item, &item), OK);
	item.id = STR("out_a");
	item.due_at = CHECK_NOW + 1;
	CHECK_ERR(world_write(world, add_item, &item), OK);
	CHECK_ERR(world_write(world, take_item, &taken), OK);
	CHECK_STR(taken.id, STR("out_a"));
	CHECK(taken.attempts == 1 && taken.due_at == CHECK_NOW + 1000);
	CHECK_ERR(world_write(world, delete_item, &taken), OK);
	CHECK_ERR(world_write(world, take_item, &taken), OK);
	CHECK_STR(taken.id, STR("out_b"));
	CHECK_ERR(world_write(world, take_item, &taken), ERR_NOT_FOUND);
}

static void who_was_thought_dead_cannot_end_what_another_took_over(void **state)
{
	struct world *world = *state;
	struct outbox_item item = { .id = STR("out_c"),
				    .kind = STR("on_stop"),
				    .user_id = alice.id,
				    .payload = STR("{}"),
				    .due_at = CHECK_NOW,
				    .created_at = CHECK_NOW };
	struct outbox_item slow = { 0 }, second = { 0 };

	CHECK_ERR(world_write(world, add_item, &item), OK);
	CHECK_ERR(world_write(world, take_item, &slow), OK);
	CHECK_ERR(world_write(world, take_item_later, &second), OK);
	CHECK_STR(second.id, slow.id);
	CHECK_ERR(world_write(world, delete_item, &slow), ERR_CONFLICT);
	CHECK_ERR(world_write(world, defer_item, &slow), OK);
	CHECK_ERR(world_write(world, take_item, &item), ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, delete_item, &second), OK);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(a_family_rotates_only_from_its_current_generation),
		cmocka_unit_test(a_grant_learns_of_its_use_once_a_minute),
		cmocka_unit_test(a_revoked_family_rotates_no_more),
		cmocka_unit_test(repeats_are_counted_on_a_taken_family),
		cmocka_unit_test(all_that_a_decision_looks_at_is_read_together),
		cmocka_unit_test(events_are_listed_newest_first_by_what_is_asked),
		cmocka_unit_test(uses_are_counted_by_day_and_the_newest_is_known),
		cmocka_unit_test(sessions_end_and_are_swept),
		cmocka_unit_test(counters_count_within_their_window),
		cmocka_unit_test(what_is_due_is_taken_once_until_its_retry),
		cmocka_unit_test(who_was_thought_dead_cannot_end_what_another_took_over));
}
