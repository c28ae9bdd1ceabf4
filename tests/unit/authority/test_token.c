/* SPDX-License-Identifier: Apache-2.0 */
/* Codes, refresh tokens and what ends them, on a real store. */
#include "at_office.h"

#include "authority/account.h"
#include "authority/clients.h"
#include "authority/people.h"
#include "store/clients.h"

static struct actor person(void)
{
	return (struct actor){ .kind = STR("user"),
			       .user_id = office.alice.id,
			       .address = STR("127.0.0.1") };
}

static void a_code_gives_tokens_once(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish wish = office_wish(&office, "agent");

	(void)state;
	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
	CHECK(wish.answer.expires_in == 300);
	CHECK(wish.answer.authorization_expires_in == 3600);
	CHECK_ERR(office_access(&office, wish.answer.access_token), OK);
	CHECK(office_grant(&office, "agent").last_used_at == office.world.clock.now);
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
	CHECK_ERR(office_access(&office, wish.answer.access_token), OK);
}

static void tk_011_a_valid_second_use_later_than_ten_seconds_ends_the_family(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish wish = office_wish(&office, "agent"), again;

	(void)state;
	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	again = wish;
	office_wait(&office, 9000);
	CHECK_ERR(office_redeem(&office, &again), ERR_GRANT);
	CHECK_ERR(office_access(&office, wish.answer.access_token), OK);
	office_wait(&office, 2000);
	CHECK_ERR(office_redeem(&office, &again), ERR_GRANT);
	CHECK_ERR(office_access(&office, wish.answer.access_token), ERR_TOKEN);
	CHECK(office_events(&office, "family.ended") == 1);
}

static void tk_012_a_replay_with_a_wrong_verifier_or_client_ends_nothing(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish wish = office_wish(&office, "agent"),
			  thief = office_wish(&office, "agent-2");

	(void)state;
	wish.code = thief.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	office_wait(&office, 20000);
	CHECK_ERR(office_redeem(&office, &thief), ERR_GRANT);
	thief = wish;
	thief.code_verifier = STR("another-verifier-of-forty-three-characters-x");
	CHECK_ERR(office_redeem(&office, &thief), ERR_GRANT);
	CHECK_ERR(office_access(&office, wish.answer.access_token), OK);
}

static void pk_010_a_wrong_verifier_burns_the_code(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish wish = office_wish(&office, "agent");

	(void)state;
	wish.code = code;
	wish.code_verifier = STR("another-verifier-of-forty-three-characters-x");
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
	wish.code_verifier = STR(OFFICE_VERIFIER);
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
	CHECK(office_events(&office, "code.refused") == 1);
	CHECK(office_events(&office, "token.issued") == 0);
}

static void tk_014_another_clients_code_burns_nothing(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish thief = office_wish(&office, "agent-2"),
			  wish = office_wish(&office, "agent");

	(void)state;
	wish.code = thief.code = code;
	CHECK_ERR(office_redeem(&office, &thief), ERR_GRANT);
	CHECK_ERR(office_redeem(&office, &wish), OK);
}

static void az_029_a_code_lives_sixty_seconds(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish wish = office_wish(&office, "agent");

	(void)state;
	wish.code = code;
	office_wait(&office, 60000);
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
}

static void tk_016_a_code_of_a_revoked_grant_gives_nothing(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "1h");
	struct token_wish wish = office_wish(&office, "agent");
	struct actor actor = person();

	(void)state;
	wish.code = code;
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &actor,
				 office_grant(&office, "agent").id),
		  OK);
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
	CHECK(office_events(&office, "token.issued") == 0);
}

static void refreshing_rotates_and_the_old_token_is_good_for_ten_seconds(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish second, repeat, late;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &second), OK);
	CHECK(!str_equals(first.refresh_token, second.answer.refresh_token));
	office_wait(&office, 9000);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &repeat), OK);
	CHECK_STR(repeat.answer.refresh_token, second.answer.refresh_token);
	CHECK(!str_equals(repeat.answer.access_token, second.answer.access_token));
	office_wait(&office, 40000);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &late), OK);
	CHECK_STR(late.answer.refresh_token, second.answer.refresh_token);
	CHECK(office_events(&office, "token.repeated") == 2);
}

static void rt_010_a_superseded_token_after_the_windows_ends_the_family_and_the_thiefs_copy(
	void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish thief, victim, again;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &thief), OK);
	office_wait(&office, 61000);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &victim), ERR_GRANT);
	CHECK_STR(victim.reason, STR("reused"));
	CHECK_ERR(office_refresh_with(&office, thief.answer.refresh_token, &again), ERR_GRANT);
	CHECK_STR(again.reason, STR("reused"));
	CHECK_ERR(office_access(&office, thief.answer.access_token), ERR_TOKEN);
	CHECK(office_events(&office, "family.ended") == 1);
}

static void rt_012_a_valid_token_in_another_clients_hands_ends_the_family(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish thief = office_wish(&office, "agent-2"), owner;

	(void)state;
	thief.refresh_token = first.refresh_token;
	CHECK_ERR(office_refresh(&office, &thief), ERR_GRANT);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &owner), ERR_GRANT);
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
}

static void rt_014_ten_lost_answers_a_day_are_told_and_revoke_nothing(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish second, repeat;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &second), OK);
	office_wait(&office, 11000);
	for (int i = 0; i < 10; i++)
		CHECK_ERR(office_refresh_with(&office, first.refresh_token, &repeat), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &repeat), ERR_GRANT);
	CHECK_STR(repeat.reason, STR("repeated_too_often"));
	CHECK_ERR(office_refresh_with(&office, second.answer.refresh_token, &repeat), OK);
}

static void rt_007_a_refresh_may_narrow_and_never_widen(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read mail.send");
	struct token_wish wish = office_wish(&office, "agent"), after;

	(void)state;
	wish.refresh_token = first.refresh_token;
	wish.scope = STR("mail.read mail.report");
	CHECK_ERR(office_refresh(&office, &wish), ERR_SCOPE);
	wish.scope = STR("mail.read");
	CHECK_ERR(office_refresh(&office, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &after), OK);
	CHECK_STR(after.answer.scope, STR("mail.read mail.send"));
}

static enum err reduce_scope(struct task *task, struct db *db, void *arg)
{
	return client_update(task, db, arg);
}

static void rt_020_a_client_whose_scopes_were_reduced_gets_the_intersection(void **state)
{
	static const struct str read_only[] = { STR_INIT("mail.read") };
	struct token_answer first = office_tokens(&office, "agent", "mail.read mail.send");
	struct client client = office_wish(&office, "agent").client;
	struct token_wish wish;

	(void)state;
	client.scope = (struct scope_set){ read_only, 1 };
	CHECK_ERR(world_write(&office.world, reduce_scope, &client), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
}

static void a_refresh_for_another_resource_changes_nothing(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish = office_wish(&office, "agent"), after;

	(void)state;
	wish.refresh_token = first.refresh_token;
	wish.resource = STR("https://grantd.test/r/other");
	CHECK_ERR(office_refresh(&office, &wish), ERR_TARGET);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &after), OK);
	CHECK(office_events(&office, "token.refreshed") == 1);
}

static void rt_003_rt_004_idle_and_expired_families_say_which(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	office_wait(&office, 29 * DAY_MS);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	office_wait(&office, 2 * DAY_MS);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("expired"));
}

static void an_idle_family_is_over(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "until-revoked");
	struct token_wish wish = office_wish(&office, "agent"), late;

	(void)state;
	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	CHECK(wish.answer.authorization_expires_in == -1);
	office_wait(&office, 30 * DAY_MS);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &late), ERR_GRANT);
	CHECK_STR(late.reason, STR("idle"));
}

static void a_paused_grant_answers_paused_and_goes_on_afterwards(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str grant_id = office_grant(&office, "agent").id;
	struct actor actor = person();
	struct actor operator_ = { .kind = STR("operator") };
	struct token_wish wish;

	(void)state;
	CHECK_ERR(account_pause(world_task(&office.world), &office.authority, &actor, grant_id),
		  OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_PAUSED);
	CHECK_ERR(office_access(&office, first.access_token), ERR_PAUSED);
	CHECK_ERR(
		account_resume(world_task(&office.world), &office.authority, &operator_, grant_id),
		ERR_FORBIDDEN);
	CHECK_ERR(account_resume(world_task(&office.world), &office.authority, &actor, grant_id),
		  OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_ERR(office_access(&office, first.access_token), OK);
}

static void revoking_ends_everything_and_queues_on_stop(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str grant_id = office_grant(&office, "agent").id;
	struct actor actor = person(), other = person();
	struct token_wish wish;

	(void)state;
	other.user_id = STR("usr_aaaaaaaaaaaaaaaaaaaaaaaaaa");
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &other, grant_id),
		  ERR_NOT_FOUND);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &actor, grant_id),
		  OK);
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("revoked_by_user"));
	CHECK(office_events(&office, "grant.revoked") == 1);
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &actor, grant_id),
		  OK);
	CHECK(office_events(&office, "grant.revoked") == 1);
}

static void lg_009_a_disabled_person_or_client_gets_nothing(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	CHECK_ERR(user_disable(world_task(&office.world), &office.authority, STR("alice")), OK);
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("user_disabled"));
	CHECK_ERR(user_enable(world_task(&office.world), &office.authority, STR("alice")), OK);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK_ERR(client_disable(world_task(&office.world), &office.authority, STR("agent")), OK);
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
	CHECK_ERR(client_enable(world_task(&office.world), &office.authority, STR("agent")), OK);
	/* enabling revives nothing that was issued before */
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
}

static void taking_a_scope_away_narrows_what_is_there(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read mail.send");
	struct actor actor = person();
	struct token_wish wish;

	(void)state;
	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor,
				       office_grant(&office, "agent").id, STR("mail.send")),
		  OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
}

static void a_second_yes_adds_and_widens_no_installation(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str grant_id = office_grant(&office, "agent").id;
	struct token_answer second = office_tokens(&office, "agent", "mail.send");
	struct grant grant = office_grant(&office, "agent");
	struct token_wish wish;

	(void)state;
	CHECK_STR(grant.id, grant_id);
	CHECK(grant.permission_count == 2);
	CHECK_STR(second.scope, STR("mail.send"));
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
}

static void garbage_is_no_refresh_token(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct str token = first.refresh_token;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, STR("x"), &wish), ERR_GRANT);
	CHECK_ERR(office_refresh_with(&office, STR(""), &wish), ERR_REQUEST);
	CHECK_ERR(office_refresh_with(&office, first.access_token, &wish), ERR_GRANT);
	for (size_t i = 4; i < token.len; i += 7) {
		struct str bent = str_copy(&office.world.home.task.arena, token);
		char *at = (char *)(uintptr_t)bent.at;

		at[i] = at[i] == 'A' ? 'B' : 'A';
		CHECK_ERR(office_refresh_with(&office, bent, &wish), ERR_GRANT);
	}
	CHECK_ERR(office_refresh_with(&office, token, &wish), OK);
	CHECK(office_events(&office, "family.ended") == 0);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)
	TEST(a_code_gives_tokens_once),
	TEST(tk_011_a_valid_second_use_later_than_ten_seconds_ends_the_family),
	TEST(tk_012_a_replay_with_a_wrong_verifier_or_client_ends_nothing),
	TEST(pk_010_a_wrong_verifier_burns_the_code),
	TEST(tk_014_another_clients_code_burns_nothing),
	TEST(az_029_a_code_lives_sixty_seconds),
	TEST(tk_016_a_code_of_a_revoked_grant_gives_nothing),
	TEST(refreshing_rotates_and_the_old_token_is_good_for_ten_seconds),
	TEST(rt_010_a_superseded_token_after_the_windows_ends_the_family_and_the_thiefs_copy),
	TEST(rt_012_a_valid_token_in_another_clients_hands_ends_the_family),
	TEST(rt_014_ten_lost_answers_a_day_are_told_and_revoke_nothing),
	TEST(rt_007_a_refresh_may_narrow_and_never_widen),
	TEST(rt_020_a_client_whose_scopes_were_reduced_gets_the_intersection),
	TEST(a_refresh_for_another_resource_changes_nothing),
	TEST(rt_003_rt_004_idle_and_expired_families_say_which),
	TEST(an_idle_family_is_over),
	TEST(a_paused_grant_answers_paused_and_goes_on_afterwards),
	TEST(revoking_ends_everything_and_queues_on_stop),
	TEST(lg_009_a_disabled_person_or_client_gets_nothing),
	TEST(taking_a_scope_away_narrows_what_is_there),
	TEST(a_second_yes_adds_and_widens_no_installation),
	TEST(garbage_is_no_refresh_token),
};

int main(void)
{
	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
