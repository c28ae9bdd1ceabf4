/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-agents: what a token becomes by an exchange. */
#include "exchanging.h"

#define BOTH_SCOPES "mail.read mail.send"

static void a_sub_agent_has_a_narrower_token_of_the_same_installation(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", BOTH_SCOPES);
	struct token_wish wish = exchanging_wish("agent", first.access_token, "research");

	(void)state;
	wish.scope = STR("mail.read");
	CHECK_ERR(exchanging_run(&wish), OK);
	CHECK(wish.answer.refresh_token.at == NULL && wish.answer.authorization_expires_in == -1);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
	CHECK_STR(wish.answer.issued_token_type, STR(TOKEN_TYPE_ACCESS));
	CHECK_ERR(exchanging_look(wish.answer.access_token), OK);
	CHECK_STR(exchanged_seen.client_id, STR("agent"));
	CHECK_STR(exchanged_seen.sub, office.alice.id);
	CHECK_STR(act_text(&office.world.home.task.arena, &exchanged_seen.act),
		  STR("agent#research"));
	CHECK(scope_has(exchanged_seen.scope, STR("mail.read")) && exchanged_seen.scope.count == 1);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK(office_events(&office, "token.exchanged") == 1);
}

static void another_client_acts_when_operator_and_person_named_it(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read"), second;

	(void)state;
	second = exchanging_derived("helper", first.access_token, NULL);
	CHECK_ERR(exchanging_look(second.access_token), OK);
	CHECK_STR(exchanged_seen.client_id, STR("helper"));
	exchanging_change("agent", (struct client_change){ .delegates_to = &exchanging_nobody });
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
}

static void another_client_does_not_act_for_a_person_who_never_read_of_it(void **state)
{
	struct token_wish wish;
	struct token_answer first;

	(void)state;
	exchanging_change("agent", (struct client_change){ .delegates_to = &exchanging_nobody });
	first = office_tokens(&office, "agent", "mail.read");
	exchanging_change("agent", (struct client_change){ .delegates_to = &exchanging_helper });
	wish = exchanging_wish("helper", first.access_token, NULL);
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
	/* the next yes names it */
	(void)office_tokens(&office, "agent", "mail.read");
	CHECK_ERR(exchanging_run(&wish), OK);
}

static void a_client_that_acts_has_no_more_than_its_operator_lets_it_have(void **state)
{
	static const struct str names[] = { STR_INIT("mail.read"), STR_INIT("mail.report") };
	static const struct scope_set read = { names, 1 }, report = { names + 1, 1 };
	struct token_answer first = office_tokens(&office, "agent", BOTH_SCOPES);
	struct token_wish wish;

	(void)state;
	exchanging_change("helper", (struct client_change){ .scope = &read });
	wish = exchanging_wish("helper", first.access_token, NULL);
	wish.scope = STR("mail.send");
	CHECK_ERR(exchanging_run(&wish), ERR_SCOPE);
	wish.scope = STR_NONE;
	CHECK_ERR(exchanging_run(&wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
	CHECK_ERR(exchanging_look(wish.answer.access_token), OK);
	CHECK(exchanged_seen.scope.count == 1 && scope_has(exchanged_seen.scope, STR("mail.read")));
	exchanging_change("helper", (struct client_change){ .scope = &report });
	CHECK_ERR(exchanging_look(wish.answer.access_token), ERR_TOKEN);
}

static void the_same_exchange_within_a_minute_has_the_same_token(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", BOTH_SCOPES), second;
	struct token_wish other;

	(void)state;
	second = exchanging_derived("agent", first.access_token, "a");
	office_wait(&office, 59 * SECOND_MS);
	CHECK_STR(exchanging_derived("agent", first.access_token, "a").jti, second.jti);
	CHECK(office_events(&office, "token.exchanged") == 1);
	other = exchanging_wish("agent", first.access_token, "b");
	CHECK_ERR(exchanging_run(&other), ERR_REQUEST);
	other = exchanging_wish("agent", first.access_token, "a");
	other.scope = STR("mail.read");
	CHECK_ERR(exchanging_run(&other), ERR_REQUEST);
	office_wait(&office, 2 * SECOND_MS);
	other = exchanging_wish("agent", first.access_token, "a");
	CHECK_ERR(exchanging_run(&other), ERR_REQUEST);
	CHECK_ERR(office_access(&office, second.access_token), OK);
	CHECK_STR(exchanging_derived("agent", exchanging_fresh(&first), "a").issued_token_type,
		  STR(TOKEN_TYPE_ACCESS));
}

static void no_exchange_gives_a_fresh_life(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read"), second;

	(void)state;
	office_wait(&office, 200 * SECOND_MS);
	second = exchanging_derived("agent", first.access_token, "a");
	CHECK(second.access_expires_at / SECOND_MS <= first.access_expires_at / SECOND_MS);
	CHECK(second.expires_in <= 100);
	office_wait(&office, 101 * SECOND_MS);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
}

static void the_fifth_in_a_row_does_not_act(void **state)
{
	static const char *const labels[] = { "a", "b", "c", "d" };
	struct token_answer last = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(labels); i++)
		last = exchanging_derived("agent", last.access_token, labels[i]);
	CHECK_ERR(exchanging_look(last.access_token), OK);
	CHECK_STR(act_text(&office.world.home.task.arena, &exchanged_seen.act),
		  STR("agent#a agent#b agent#c agent#d"));
	wish = exchanging_wish("agent", last.access_token, "e");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
}

static void ex_019_the_51st_live_child_of_one_parent_waits_for_the_first_to_end(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read"), second;
	struct token_wish wish;

	(void)state;
	second = exchanging_derived("agent", exchanging_fresh(&first), "a");
	for (int i = 1; i < 50; i++)
		(void)exchanging_derived("agent", exchanging_fresh(&first), "a");
	wish = exchanging_wish("agent", exchanging_fresh(&first), "a");
	CHECK_ERR(exchanging_run(&wish), ERR_THROTTLED);
	CHECK(wish.retry_after > 0 && wish.retry_after <= 301);
	CHECK_ERR(exchanging_run(&wish), ERR_THROTTLED);
	CHECK(office_events(&office, "token.refused") == 1);
	/* to give one back does not make room */
	exchanging_revoke("agent", second.access_token);
	CHECK_ERR(exchanging_run(&wish), ERR_THROTTLED);
	office_wait(&office, 301 * SECOND_MS);
	wish.subject_token = exchanging_fresh(&first);
	CHECK_ERR(exchanging_run(&wish), OK);
}

static void who_may_not_exchange_and_what_is_no_persons_is_refused(void **state)
{
	struct token_answer first = office_tokens(&office, "agent-2", "mail.read");
	struct token_wish wish = exchanging_wish("agent-2", first.access_token, "a");

	(void)state;
	CHECK_ERR(exchanging_run(&wish), ERR_CLIENT_NOT_ALLOWED);
	wish = exchanging_wish("agent", first.access_token, "a");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
	first = office_tokens(&office, "agent", "mail.read");
	wish = exchanging_wish("agent", first.access_token, "a b");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
	wish = exchanging_wish("agent", first.access_token, "a");
	wish.details = STR("[{\"type\":\"operations\"}]");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
	wish = exchanging_wish("agent", first.access_token, "a");
	wish.actor_token = first.access_token;
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
	wish.actor_token_type = STR(TOKEN_TYPE_ACCESS);
	CHECK_ERR(exchanging_run(&wish), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchanging_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_sub_agent_has_a_narrower_token_of_the_same_installation),
		TEST(another_client_acts_when_operator_and_person_named_it),
		TEST(another_client_does_not_act_for_a_person_who_never_read_of_it),
		TEST(a_client_that_acts_has_no_more_than_its_operator_lets_it_have),
		TEST(the_same_exchange_within_a_minute_has_the_same_token),
		TEST(no_exchange_gives_a_fresh_life),
		TEST(the_fifth_in_a_row_does_not_act),
		TEST(ex_019_the_51st_live_child_of_one_parent_waits_for_the_first_to_end),
		TEST(who_may_not_exchange_and_what_is_no_persons_is_refused),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
