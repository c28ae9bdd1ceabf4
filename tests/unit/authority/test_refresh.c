/* SPDX-License-Identifier: Apache-2.0 */
/* Refresh tokens that should not be there: stolen ones, and ones from after a backup was taken. */
#include "at_office.h"

#include "authority/account.h"
#include "store/families.h"
#include "store/outbox.h"

static void a_stolen_token_ends_its_family_once_however_often_it_comes(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct token_wish thief = office_wish(&office, "agent-2");

		thief.refresh_token = first.refresh_token;
		CHECK_ERR(office_refresh(&office, &thief), ERR_GRANT);
	}
	CHECK(office_events(&office, "family.ended") == 1);
}

/* The row of a backup that was taken before the last rotations. */
static enum err restore(struct task *task, struct db *db, void *arg)
{
	struct family *family = arg;
	int64_t present = family->generation;

	family->generation = 1;
	return family_rotate(task, db, family, present);
}

static enum err take_item(struct task *task, struct db *db, void *arg)
{
	return outbox_take(task, db, task->now, task->now + 1, arg);
}

static void a_token_newer_than_the_database_pauses_the_grant_and_tells_the_resource(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct outbox_item item;
	struct family *families;
	struct token_wish wish;
	size_t count;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_ERR(family_list(world_task(&office.world), world_reader(&office.world),
			      office_grant(&office, "agent").id, &families, &count),
		  OK);
	CHECK(count == 1 && families[0].generation == 2);
	CHECK_ERR(world_write(&office.world, restore, &families[0]), OK);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), ERR_PAUSED);
	CHECK(wish.retry_after == 60);
	CHECK(office_grant(&office, "agent").paused_at != 0);
	CHECK(office_events(&office, "grant.paused") == 1);
	CHECK_ERR(world_write(&office.world, take_item, &item), OK);
}

static void a_scope_that_was_taken_away_is_not_the_end_of_the_token(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read mail.send");
	struct actor actor = { .kind = STR("user"), .user_id = office.alice.id };
	struct token_wish wish = office_wish(&office, "agent");

	(void)state;
	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor,
				       office_grant(&office, "agent").id, STR("mail.send")),
		  OK);
	wish.refresh_token = first.refresh_token;
	wish.scope = STR("mail.send");
	CHECK_ERR(office_refresh(&office, &wish), ERR_SCOPE);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_stolen_token_ends_its_family_once_however_often_it_comes),
		TEST(a_scope_that_was_taken_away_is_not_the_end_of_the_token),
		TEST(a_token_newer_than_the_database_pauses_the_grant_and_tells_the_resource),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
