/* SPDX-License-Identifier: Apache-2.0 */
/* What a person does with grants that are there, and what a later yes does not do. */
#include "at_office.h"

#include "authority/account.h"

static struct actor person(void)
{
	return (struct actor){ .kind = STR("user"),
			       .user_id = office.alice.id,
			       .address = STR("127.0.0.1") };
}

static struct token_answer tokens_for(const char *scope, const char *duration)
{
	struct str code = office_code(&office, "agent", scope, duration);
	struct token_wish wish = office_wish(&office, "agent");

	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	return wish.answer;
}

static void a_yes_after_the_end_does_not_bring_back_older_installations(void **state)
{
	struct token_answer old = tokens_for("mail.read", "1h"), new_;
	struct token_wish wish;

	(void)state;
	office_wait(&office, 2 * HOUR_MS);
	new_ = tokens_for("mail.read", "30d");
	CHECK_ERR(office_refresh_with(&office, old.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("expired"));
	CHECK_ERR(office_refresh_with(&office, new_.refresh_token, &wish), OK);
}

static void a_yes_before_the_end_leaves_the_installations_there_are(void **state)
{
	struct token_answer old = tokens_for("mail.read", "1h");
	struct token_wish wish;

	(void)state;
	tokens_for("mail.read", "30d");
	CHECK_ERR(office_refresh_with(&office, old.refresh_token, &wish), OK);
}

static void extending_all_brings_nothing_back_that_is_over(void **state)
{
	struct token_answer first = tokens_for("mail.read", "30d");
	struct actor actor = person();
	struct grant grant;
	struct scope_set live;

	(void)state;
	CHECK_ERR(office_access(&office, first.access_token), OK);
	tokens_for("mail.send", "1h");
	office_wait(&office, 2 * HOUR_MS);
	grant = office_grant(&office, "agent");
	CHECK_ERR(account_set_end(world_task(&office.world), &office.authority, &actor, grant.id,
				  STR_NONE, STR("30d")),
		  OK);
	grant = office_grant(&office, "agent");
	live = grant_scopes_at(&office.world.home.task.arena, &grant, office.world.clock.now);
	CHECK(live.count == 1 && scope_has(live, STR("mail.read")));
}

static void nothing_is_extended_where_everything_is_over(void **state)
{
	struct actor actor = person();
	struct grant grant;

	(void)state;
	tokens_for("mail.read", "1h");
	office_wait(&office, 2 * HOUR_MS);
	grant = office_grant(&office, "agent");
	CHECK_ERR(account_set_end(world_task(&office.world), &office.authority, &actor, grant.id,
				  STR_NONE, STR("30d")),
		  ERR_NOT_FOUND);
	CHECK(office_events(&office, "grant.end_changed") == 0);
}

static void stopping_everything_pauses_each_live_grant_with_its_event(void **state)
{
	struct actor actor = person();
	int64_t paused = 0;

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	office_tokens(&office, "service", "mail.read");
	CHECK_ERR(account_pause_all(world_task(&office.world), &office.authority, &actor, &paused),
		  OK);
	CHECK(paused == 2 && office_events(&office, "grant.paused") == 2);
	CHECK(office_grant(&office, "agent").paused_at != 0);
	CHECK(office_grant(&office, "service").paused_at != 0);
	CHECK_ERR(account_pause_all(world_task(&office.world), &office.authority, &actor, &paused),
		  OK);
	CHECK(paused == 0 && office_events(&office, "grant.paused") == 2);
}

static void going_on_when_nothing_is_paused_is_no_event(void **state)
{
	struct actor actor = person();
	struct str id;

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	id = office_grant(&office, "agent").id;
	CHECK_ERR(account_resume(world_task(&office.world), &office.authority, &actor, id), OK);
	CHECK(office_events(&office, "grant.resumed") == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_yes_after_the_end_does_not_bring_back_older_installations),
		TEST(a_yes_before_the_end_leaves_the_installations_there_are),
		TEST(extending_all_brings_nothing_back_that_is_over),
		TEST(nothing_is_extended_where_everything_is_over),
		TEST(stopping_everything_pauses_each_live_grant_with_its_event),
		TEST(going_on_when_nothing_is_paused_is_no_event),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
