/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, counters and the outbox, on both databases. */
#include "both.h"
#include "nouns.h"
#include "store/counters.h"
#include "store/outbox.h"
#include "store/sessions.h"

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
	struct signed_in found = { 0 };
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
	CHECK_ERR(session_find(world_task(world), world_reader(world), one, &found), OK);
	CHECK(found.session.ended_at == 0 && found.session.last_seen_at == CHECK_NOW + 7);
	CHECK_STR(found.user.username, alice.username);
	CHECK_STR(found.user.wrapped_key, alice.wrapped_key);
	CHECK_ERR(world_write(world, end_session, &one), OK);
	CHECK_ERR(session_find(world_task(world), world_reader(world), one, &found), OK);
	CHECK(found.session.ended_at == CHECK_NOW + 9);
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
	CHECK_ERR(session_find(world_task(world), world_reader(world), one, &found), ERR_NOT_FOUND);
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
		cmocka_unit_test(sessions_end_and_are_swept),
		cmocka_unit_test(counters_count_within_their_window),
		cmocka_unit_test(what_is_due_is_taken_once_until_its_retry),
		cmocka_unit_test(who_was_thought_dead_cannot_end_what_another_took_over));
}
