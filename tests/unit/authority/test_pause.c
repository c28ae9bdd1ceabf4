/* SPDX-License-Identifier: Apache-2.0 */
/* Two pauses of one grant, the person's and the operator's: neither takes back the other's. */
#include "at_office.h"

#include "authority/account.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_the_operator_paused_only_the_operator_resumes),
		TEST(what_the_person_paused_only_the_person_resumes),
		TEST(a_grant_that_both_paused_goes_on_when_both_say_so),
		TEST(revoking_and_allowing_again_does_not_shake_off_the_operators_pause),
		TEST(taking_the_last_permission_away_revokes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
