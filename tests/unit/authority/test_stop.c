/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What besides a grant's own end a resource is told of: an installation's tokens that end, a
 * disabled person.
 */
#include "authority/stop.h"

#include "at_office.h"
#include "authority/account.h"
#include "authority/people.h"
#include "authority/revoke.h"
#include "store/families.h"
#include "store/sql.h"

static STATEMENT WAITING = { "SELECT count(*) FROM outbox" };

static struct task *now(void)
{
	return world_task(&office.world);
}

static int64_t waiting(void)
{
	int64_t number = 0;

	CHECK_ERR(sql_one_int(now(), world_reader(&office.world), &WAITING, NO_ARGS, &number), OK);
	return number;
}

static void reuse_that_ends_a_family_is_told(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish, again;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), OK);
	CHECK(waiting() == 0);
	office_wait(&office, MINUTE_MS);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &again), ERR_GRANT);
	CHECK(waiting() == 1);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &again), ERR_GRANT);
	CHECK(waiting() == 1);
}

static void another_client_with_the_token_is_told(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish = office_wish(&office, "agent-2");

	(void)state;
	wish.refresh_token = tokens.refresh_token;
	CHECK_ERR(office_refresh(&office, &wish), ERR_GRANT);
	CHECK(waiting() == 1);
}

static void a_code_used_again_later_is_told(void **state)
{
	struct str code = office_code(&office, "agent", "mail.read", "30d");
	struct token_wish wish = office_wish(&office, "agent");

	(void)state;
	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), OK);
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
	CHECK(waiting() == 0);
	office_wait(&office, 20 * SECOND_MS);
	CHECK_ERR(office_redeem(&office, &wish), ERR_GRANT);
	CHECK(waiting() == 1);
}

static enum err revoke_token(struct task *task, void *arg)
{
	return token_revoke(task, &office.authority, arg, office_finished);
}

static void revoke_by(const char *client, struct str token, enum err expected)
{
	struct revocation revocation = { .client = office_wish(&office, client).client,
					 .token = token };

	now();
	CHECK_ERR(world_run(&office.world.home, revoke_token, &revocation), expected);
}

static void a_family_that_its_agent_revoked_is_told(void **state)
{
	struct token_answer by_refresh = office_tokens(&office, "agent", "mail.read");
	struct token_answer by_access = office_tokens(&office, "agent", "mail.read");

	(void)state;
	revoke_by("agent-2", by_refresh.refresh_token, ERR_REQUEST);
	revoke_by("agent", STR("grt_nobodys"), OK);
	CHECK(waiting() == 0);
	revoke_by("agent", by_refresh.refresh_token, OK);
	revoke_by("agent", by_refresh.refresh_token, OK);
	CHECK(waiting() == 1);
	revoke_by("agent", by_access.access_token, OK);
	CHECK(waiting() == 2);
}

static void an_installation_that_its_person_ended_is_told(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct actor actor = { .kind = STR("user"), .user_id = office.alice.id };
	struct family *families = NULL;
	size_t count = 0;

	(void)state;
	(void)tokens;
	CHECK_ERR(family_list(now(), world_reader(&office.world), office_grant(&office, "agent").id,
			      &families, &count),
		  OK);
	CHECK(count == 1);
	CHECK_ERR(account_end_family(now(), &office.authority, &actor,
				     office_grant(&office, "agent").id, families[0].id),
		  OK);
	CHECK(waiting() == 1);
}

static void every_grant_of_a_disabled_person_is_told(void **state)
{
	(void)state;
	office_tokens(&office, "agent", "mail.read");
	office_tokens(&office, "agent-2", "mail.read");
	CHECK_ERR(user_disable(now(), &office.authority, STR("alice")), OK);
	CHECK(waiting() == 2);
	CHECK_ERR(user_enable(now(), &office.authority, STR("alice")), OK);
	CHECK(waiting() == 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	return RUN(TEST(reuse_that_ends_a_family_is_told),
		   TEST(another_client_with_the_token_is_told),
		   TEST(a_code_used_again_later_is_told),
		   TEST(a_family_that_its_agent_revoked_is_told),
		   TEST(an_installation_that_its_person_ended_is_told),
		   TEST(every_grant_of_a_disabled_person_is_told));
}
