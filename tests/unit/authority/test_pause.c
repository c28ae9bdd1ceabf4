/* SPDX-License-Identifier: Apache-2.0 */
/* Two pauses of one grant, the person's and the operator's: neither takes back the other's. */
#include "at_office.h"

#include "authority/account.h"
#include "authority/installation.h"
#include "authority/issue.h"
#include "store/families.h"
#include "store/restoring.h"

static struct actor person(void)
{
	return (struct actor){ .kind = STR("user"), .user_id = office.alice.id };
}

static struct actor operator_(void)
{
	return (struct actor){ .kind = STR("operator") };
}

static enum err pause_by(struct actor actor)
{
	return account_pause(world_task(&office.world), &office.authority, &actor,
			     office_grant(&office, "agent").id);
}

static enum err resume_by(struct actor actor)
{
	return account_resume(world_task(&office.world), &office.authority, &actor,
			      office_grant(&office, "agent").id);
}

static void what_the_operator_paused_only_the_operator_resumes(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	CHECK_ERR(pause_by(operator_()), OK);
	CHECK_ERR(office_refresh_with(&office, tokens.refresh_token, &wish), ERR_PAUSED);
	CHECK_ERR(resume_by(person()), ERR_FORBIDDEN);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_PAUSED);
	CHECK(office_events(&office, "grant.resumed") == 0);
	CHECK_ERR(resume_by(operator_()), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), OK);
	CHECK(office_events(&office, "grant.resumed") == 1);
}

static void what_the_person_paused_only_the_person_resumes(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");

	(void)state;
	CHECK_ERR(pause_by(person()), OK);
	CHECK_ERR(resume_by(operator_()), ERR_FORBIDDEN);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_PAUSED);
	CHECK_ERR(resume_by(person()), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), OK);
}

static void a_grant_that_both_paused_goes_on_when_both_say_so(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");

	(void)state;
	CHECK_ERR(pause_by(person()), OK);
	CHECK_ERR(pause_by(operator_()), OK);
	CHECK(office_events(&office, "grant.paused") == 2);
	CHECK_ERR(resume_by(operator_()), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), ERR_PAUSED);
	CHECK_ERR(resume_by(person()), OK);
	CHECK_ERR(office_access(&office, tokens.access_token), OK);
}

static void revoking_and_allowing_again_does_not_shake_off_the_operators_pause(void **state)
{
	struct actor actor = person();
	struct str code;
	struct token_wish wish;

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	CHECK_ERR(pause_by(operator_()), OK);
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &actor,
				 office_grant(&office, "agent").id),
		  OK);
	office_wait(&office, 1000);
	code = office_code(&office, "agent", "mail.read", "1h");
	wish = office_wish(&office, "agent");
	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), ERR_PAUSED);
	CHECK_ERR(resume_by(operator_()), OK);
	office_tokens(&office, "agent", "mail.read");
}

static void taking_the_last_permission_away_revokes(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct str id = office_grant(&office, "agent").id;
	struct actor actor = person();
	struct token_wish wish;

	(void)state;
	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor, id,
				       STR("mail.send")),
		  ERR_NOT_FOUND);
	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor, id,
				       STR("mail.read")),
		  OK);
	CHECK(office_events(&office, "grant.revoked") == 1);
	CHECK_ERR(office_refresh_with(&office, tokens.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("revoked_by_user"));
}

static struct family only_family(void)
{
	struct family *families = NULL;
	size_t count = 0;

	CHECK_ERR(family_list(world_task(&office.world), world_reader(&office.world),
			      office_grant(&office, "agent").id, &families, &count),
		  OK);
	CHECK(count == 1);
	return families[0];
}

static enum err pause_installation(void)
{
	struct actor actor = person();
	struct installation_named named = { office_grant(&office, "agent").id, only_family().id };

	return installation_pause(world_task(&office.world), &office.authority, &actor, &named);
}

/* What is current waits for the end of the pause; what was superseded is in two hands. */
static void check_copy_ends_it(bool is_installation)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish next, wish;

	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &next), OK);
	CHECK_ERR(is_installation ? pause_installation() : pause_by(person()), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_PAUSED);
	office_wait(&office, ROTATION_LOST_ANSWER_MS + 1);
	CHECK_ERR(office_refresh_with(&office, next.answer.refresh_token, &wish), ERR_PAUSED);
	CHECK(wish.retry_after > 0 && office_events(&office, "family.ended") == 0);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("reused"));
	CHECK(office_events(&office, "family.ended") == 1);
	CHECK(only_family().revoked_at != 0);
	CHECK_ERR(office_refresh_with(&office, next.answer.refresh_token, &wish), ERR_GRANT);
	CHECK_STR(wish.reason, STR("reused"));
	CHECK(office_events(&office, "family.ended") == 1);
}

static void a_copy_that_comes_back_while_the_grant_is_paused_ends_the_installation(void **state)
{
	(void)state;
	check_copy_ends_it(false);
}

static void a_copy_that_comes_back_while_the_installation_is_paused_ends_it(void **state)
{
	(void)state;
	check_copy_ends_it(true);
}

static enum err pause_all_restored(struct task *task, struct db *db, void *arg)
{
	return restoring_pause_grants(task, db, task->now, arg);
}

/* The refresh token that the agent would hold so many rotations from now. */
static struct str future_token(int rotations)
{
	struct task *task = world_task(&office.world);
	struct db *db = world_reader(&office.world);
	struct token_answer answer = { 0 };
	struct standing standing;
	struct wish wish;

	CHECK_ERR(standing_find_by_family(task, db, only_family().id, &standing), OK);
	standing.grant.paused_at = 0; /* another node's database knew of no pause */
	standing.family.generation += rotations;
	wish = (struct wish){ .scope = standing.family.ceiling,
			      .resource = standing.grant.resource,
			      .offered = issue_offered(task, &office.authority,
						       standing.grant.resource) };
	CHECK_ERR(issue_tokens(task, &office.authority,
			       &(struct issue_order){
				       .standing = &standing, .wish = &wish, .is_renewable = true },
			       &answer),
		  OK);
	return answer.refresh_token;
}

static bool waits(void)
{
	struct grant grant = office_grant(&office, "agent");

	return grant_waits_after_restore(&grant);
}

static void after_an_announced_restore_the_agent_catches_up_once_else_it_is_paused(void **state)
{
	struct token_wish wish;
	int64_t paused = 0;

	(void)state;
	(void)office_tokens(&office, "agent", "mail.read");
	CHECK_ERR(office_refresh_with(&office, future_token(3), &wish), ERR_PAUSED);
	CHECK(!waits());
	CHECK_ERR(resume_by(person()), OK);
	office_wait(&office, SECOND_MS);
	CHECK_ERR(world_write(&office.world, pause_all_restored, &paused), OK);
	CHECK(paused == 1);
	CHECK(waits());
	CHECK_ERR(office_refresh_with(&office, future_token(3), &wish), ERR_PAUSED);
	CHECK_ERR(resume_by(operator_()), ERR_FORBIDDEN); /* the person looks, nobody for them */
	CHECK_ERR(resume_by(person()), OK);
	office_wait(&office, SECOND_MS);
	CHECK_ERR(office_refresh_with(&office, future_token(3), &wish), OK);
	CHECK_ERR(office_access(&office, wish.answer.access_token), OK);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), OK);
}

/* One of the two was somebody else's, and which one it was nobody can tell. */
static void who_comes_from_further_ahead_after_another_caught_up_ends_the_family(void **state)
{
	struct token_wish wish, second;
	int64_t paused = 0;

	(void)state;
	(void)office_tokens(&office, "agent", "mail.read");
	office_wait(&office, SECOND_MS);
	CHECK_ERR(world_write(&office.world, pause_all_restored, &paused), OK);
	CHECK_ERR(resume_by(person()), OK);
	office_wait(&office, SECOND_MS);
	CHECK_ERR(office_refresh_with(&office, future_token(1), &wish), OK);
	CHECK_ERR(office_refresh_with(&office, future_token(5), &second), ERR_GRANT);
	CHECK_STR(second.reason, STR("reused"));
	CHECK_ERR(office_access(&office, wish.answer.access_token), ERR_TOKEN);
	CHECK(office_events(&office, "family.ended") == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_the_operator_paused_only_the_operator_resumes),
		TEST(what_the_person_paused_only_the_person_resumes),
		TEST(a_grant_that_both_paused_goes_on_when_both_say_so),
		TEST(revoking_and_allowing_again_does_not_shake_off_the_operators_pause),
		TEST(taking_the_last_permission_away_revokes),
		TEST(a_copy_that_comes_back_while_the_grant_is_paused_ends_the_installation),
		TEST(a_copy_that_comes_back_while_the_installation_is_paused_ends_it),
		TEST(after_an_announced_restore_the_agent_catches_up_once_else_it_is_paused),
		TEST(who_comes_from_further_ahead_after_another_caught_up_ends_the_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
