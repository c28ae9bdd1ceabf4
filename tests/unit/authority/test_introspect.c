/* SPDX-License-Identifier: Apache-2.0 */
/* What an access token is worth, who may look at it, and how its client ends it. */
#include "at_office.h"

#include "authority/revoke.h"

static enum err revoke_step(struct task *task, void *arg)
{
	return token_revoke(task, &office.authority, arg, office_finished);
}

static enum err revoke(const char *client, struct str token)
{
	struct revocation revocation = { .client = office_wish(&office, client).client,
					 .token = token };

	world_task(&office.world);
	return world_run(&office.world.home, revoke_step, &revocation);
}

static void rv_007_revoking_a_token_ends_its_family_and_keeps_the_grant(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer other = office_tokens(&office, "agent", "mail.read");

	(void)state;
	CHECK_ERR(revoke("agent-2", first.refresh_token), ERR_REQUEST);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK_ERR(revoke("agent", STR("garbage")), OK);
	CHECK_ERR(revoke("agent", first.refresh_token), OK);
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
	CHECK_ERR(office_access(&office, other.access_token), OK);
	CHECK(office_grant(&office, "agent").revoked_at == 0);
	CHECK_ERR(revoke("agent", other.access_token), OK);
	CHECK_ERR(office_access(&office, other.access_token), ERR_TOKEN);
}

static void an_access_token_ends_with_its_time(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");

	(void)state;
	office_wait(&office, 299 * SECOND_MS);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	office_wait(&office, 2 * SECOND_MS);
	CHECK_ERR(office_access(&office, first.access_token), ERR_TOKEN);
}

static bool is_active_for(struct str token, const char *resource, const struct client *client)
{
	static struct introspection question;

	question = (struct introspection){ .token = token, .client = client };
	if (resource != NULL)
		question.resource = config_find_resource_named(office.config, str_from_c(resource));
	CHECK_ERR(token_introspect(world_task(&office.world), &office.authority, &question), OK);
	CHECK(!question.active || str_equals(question.access.username, STR("alice")));
	return question.active;
}

static void introspection_shows_a_token_only_to_its_own_resource(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct client service = office_wish(&office, "service").client;
	struct client agent = office_wish(&office, "agent").client;

	(void)state;
	CHECK(is_active_for(first.access_token, "mail", NULL));
	CHECK(!is_active_for(first.access_token, "other", NULL));
	CHECK(!is_active_for(first.access_token, NULL, &service));
	CHECK(!is_active_for(first.refresh_token, "mail", NULL));
	CHECK(is_active_for(first.refresh_token, NULL, &agent));
	CHECK(!is_active_for(first.refresh_token, NULL, &service));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(rv_007_revoking_a_token_ends_its_family_and_keeps_the_grant),
		TEST(an_access_token_ends_with_its_time),
		TEST(introspection_shows_a_token_only_to_its_own_resource),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
