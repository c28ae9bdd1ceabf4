/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-agents: what a token becomes by an exchange, and what ends it. */
#include "at_office.h"

#include "authority/account.h"
#include "authority/clients.h"
#include "authority/revoke.h"
#include "base/json.h"

#define BOTH_SCOPES "mail.read mail.send"

static struct access seen; /* of the last token that was looked at */

static enum err look(struct str token)
{
	seen = (struct access){ 0 };
	return access_token_verify(world_task(&office.world), &office.authority, token, &seen);
}

static void change(const char *id, struct client_change wish)
{
	struct client client;
	struct str secret;

	wish.id = str_from_c(id);
	CHECK_ERR(client_change(world_task(&office.world), &office.authority, &wish, &client,
				&secret),
		  OK);
}

static const struct str helpers[] = { STR_INIT("helper") };
static const struct scope_set named_helper = { helpers, 1 };
static const struct scope_set nobody = { helpers, 0 };

/* agent may exchange, and delegates to helper, which is registered with a secret. */
static int start(void **state)
{
	struct new_client wish = { .client = { .id = STR("helper"),
					       .name = STR("Helper"),
					       .auth = CLIENT_AUTH_POST,
					       .grant_types = GRANT_TOKEN_EXCHANGE },
				   .secret = STR(OFFICE_SECRET) };
	struct client client;
	struct str secret;

	office_start(state);
	CHECK_ERR(client_create(world_task(&office.world), &office.authority, &wish, &client,
				&secret),
		  OK);
	change("agent",
	       (struct client_change){ .grant_types = GRANT_AUTHORIZATION_CODE |
						      GRANT_REFRESH_TOKEN | GRANT_TOKEN_EXCHANGE,
				       .delegates_to = &named_helper });
	return 0;
}

static enum err exchange_step(struct task *task, void *arg)
{
	return token_exchange(task, &office.authority, arg, office_finished);
}

static enum err exchange(struct token_wish *wish)
{
	world_task(&office.world);
	return world_run(&office.world.home, exchange_step, wish);
}

static struct token_wish wish_of(const char *client, struct str subject, const char *label)
{
	struct token_wish wish = office_wish(&office, client);

	wish.subject_token = subject;
	wish.subject_token_type = STR(TOKEN_TYPE_ACCESS);
	wish.actor_label = str_from_c(label);
	return wish;
}

static struct token_answer derived(const char *client, struct str subject, const char *label)
{
	struct token_wish wish = wish_of(client, subject, label);

	CHECK_ERR(exchange(&wish), OK);
	return wish.answer;
}

static struct str fresh_token(struct token_answer *tokens)
{
	struct token_wish wish;

	CHECK_ERR(office_refresh_with(&office, tokens->refresh_token, &wish), OK);
	*tokens = wish.answer;
	return tokens->access_token;
}

static void a_sub_agent_has_a_narrower_token_of_the_same_installation(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", BOTH_SCOPES);
	struct token_wish wish = wish_of("agent", first.access_token, "research");

	(void)state;
	wish.scope = STR("mail.read");
	CHECK_ERR(exchange(&wish), OK);
	CHECK(wish.answer.refresh_token.at == NULL && wish.answer.authorization_expires_in == -1);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
	CHECK_STR(wish.answer.issued_token_type, STR(TOKEN_TYPE_ACCESS));
	CHECK_ERR(look(wish.answer.access_token), OK);
	CHECK_STR(seen.client_id, STR("agent"));
	CHECK_STR(seen.sub, office.alice.id);
	CHECK_STR(act_text(&office.world.home.task.arena, &seen.act), STR("agent#research"));
	CHECK(scope_has(seen.scope, STR("mail.read")) && seen.scope.count == 1);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK(office_events(&office, "token.exchanged") == 1);
}

static void another_client_acts_when_operator_and_person_named_it(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read"), second;

	(void)state;
	second = derived("helper", first.access_token, NULL);
	CHECK_ERR(look(second.access_token), OK);
	CHECK_STR(seen.client_id, STR("helper"));
	change("agent", (struct client_change){ .delegates_to = &nobody });
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
}

static void another_client_does_not_act_for_a_person_who_never_read_of_it(void **state)
{
	struct token_wish wish;
	struct token_answer first;

	(void)state;
	change("agent", (struct client_change){ .delegates_to = &nobody });
	first = office_tokens(&office, "agent", "mail.read");
	change("agent", (struct client_change){ .delegates_to = &named_helper });
	wish = wish_of("helper", first.access_token, NULL);
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
	/* the next yes names it */
	(void)office_tokens(&office, "agent", "mail.read");
	CHECK_ERR(exchange(&wish), OK);
}

static void a_client_that_acts_has_no_more_than_its_operator_lets_it_have(void **state)
{
	static const struct str names[] = { STR_INIT("mail.read"), STR_INIT("mail.report") };
	static const struct scope_set read = { names, 1 }, report = { names + 1, 1 };
	struct token_answer first = office_tokens(&office, "agent", BOTH_SCOPES);
	struct token_wish wish;

	(void)state;
	change("helper", (struct client_change){ .scope = &read });
	wish = wish_of("helper", first.access_token, NULL);
	wish.scope = STR("mail.send");
	CHECK_ERR(exchange(&wish), ERR_SCOPE);
	wish.scope = STR_NONE;
	CHECK_ERR(exchange(&wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
	CHECK_ERR(look(wish.answer.access_token), OK);
	CHECK(seen.scope.count == 1 && scope_has(seen.scope, STR("mail.read")));
	change("helper", (struct client_change){ .scope = &report });
	CHECK_ERR(look(wish.answer.access_token), ERR_TOKEN);
}

static void the_same_exchange_within_a_minute_has_the_same_token(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", BOTH_SCOPES), second;
	struct token_wish other;

	(void)state;
	second = derived("agent", first.access_token, "a");
	office_wait(&office, 59 * SECOND_MS);
	CHECK_STR(derived("agent", first.access_token, "a").jti, second.jti);
	CHECK(office_events(&office, "token.exchanged") == 1);
	other = wish_of("agent", first.access_token, "b");
	CHECK_ERR(exchange(&other), ERR_REQUEST);
	other = wish_of("agent", first.access_token, "a");
	other.scope = STR("mail.read");
	CHECK_ERR(exchange(&other), ERR_REQUEST);
	office_wait(&office, 2 * SECOND_MS);
	other = wish_of("agent", first.access_token, "a");
	CHECK_ERR(exchange(&other), ERR_REQUEST);
	CHECK_ERR(office_access(&office, second.access_token), OK);
	CHECK_STR(derived("agent", fresh_token(&first), "a").issued_token_type,
		  STR(TOKEN_TYPE_ACCESS));
}

static void no_exchange_gives_a_fresh_life(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read"), second;

	(void)state;
	office_wait(&office, 200 * SECOND_MS);
	second = derived("agent", first.access_token, "a");
	CHECK(second.access_expires_at / SECOND_MS <= first.access_expires_at / SECOND_MS);
	CHECK(second.expires_in <= 100);
	office_wait(&office, 101 * SECOND_MS);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
}

static void the_fifth_in_a_row_does_not_act(void **state)
{
	static const char *const labels[] = { "a", "b", "c", "d" };
	struct token_answer last = office_tokens(&office, "agent", "mail.read");
	struct token_wish wish;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(labels); i++)
		last = derived("agent", last.access_token, labels[i]);
	CHECK_ERR(look(last.access_token), OK);
	CHECK_STR(act_text(&office.world.home.task.arena, &seen.act),
		  STR("agent#a agent#b agent#c agent#d"));
	wish = wish_of("agent", last.access_token, "e");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
}

static enum err revoke_step(struct task *task, void *arg)
{
	return token_revoke(task, &office.authority, arg, office_finished);
}

static void revoke(const char *client, struct str token)
{
	struct revocation revocation = { .client = office_wish(&office, client).client,
					 .token = token };

	world_task(&office.world);
	CHECK_ERR(world_run(&office.world.home, revoke_step, &revocation), OK);
}

static void what_was_derived_ends_with_its_installation(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = derived("agent", first.access_token, "a");
	struct token_answer third = derived("agent", second.access_token, "b");
	struct token_wish wish;

	(void)state;
	revoke("agent", first.refresh_token);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
	CHECK_ERR(look(third.access_token), ERR_TOKEN);
	wish = wish_of("agent", third.access_token, "c");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
}

static void what_was_derived_ends_with_the_grant_and_rests_with_its_pause(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = derived("agent", first.access_token, "a");
	struct actor alice = { .kind = STR("user"), .user_id = office.alice.id };
	struct str grant_id = office_grant(&office, "agent").id;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(account_pause(world_task(&office.world), &office.authority, &alice, grant_id),
		  OK);
	CHECK_ERR(look(second.access_token), ERR_PAUSED);
	wish = wish_of("agent", second.access_token, "b");
	CHECK_ERR(exchange(&wish), ERR_PAUSED);
	CHECK(wish.retry_after > 0);
	CHECK_ERR(account_resume(world_task(&office.world), &office.authority, &alice, grant_id),
		  OK);
	CHECK_ERR(exchange(&wish), OK);
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &alice, grant_id),
		  OK);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
	CHECK_ERR(look(wish.answer.access_token), ERR_TOKEN);
}

static void what_was_derived_ends_with_the_client_that_has_it(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = derived("helper", first.access_token, NULL);
	struct token_answer third = derived("helper", second.access_token, "part");

	(void)state;
	CHECK_ERR(look(third.access_token), OK);
	CHECK_ERR(client_disable(world_task(&office.world), &office.authority, STR("helper")), OK);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
	CHECK_ERR(look(third.access_token), ERR_TOKEN);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK_ERR(client_enable(world_task(&office.world), &office.authority, STR("helper")), OK);
	CHECK_ERR(look(third.access_token), ERR_TOKEN);
}

static void a_sub_agent_gives_back_its_token_and_what_it_handed_on_and_no_more(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = derived("agent", first.access_token, "a");
	struct token_answer third = derived("agent", second.access_token, "b");

	(void)state;
	revoke("agent", second.access_token);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
	CHECK_ERR(look(third.access_token), ERR_TOKEN);
	CHECK_ERR(look(first.access_token), OK);
	CHECK(office_events(&office, "sub_agent.ended") == 1);
	CHECK(office_events(&office, "family.ended") == 0);
	second = derived("agent", fresh_token(&first), "a");
	CHECK_ERR(look(second.access_token), OK);
}

/* What alice stops or allows again: of the installation that was looked at last. */
static struct sub_agent_named named_of(const char *path)
{
	return (struct sub_agent_named){ .grant_id = office_grant(&office, "agent").id,
					 .family_id = seen.family_id,
					 .path = str_from_c(path) };
}

static enum err stop(const struct sub_agent_named *named)
{
	const struct actor alice = { .kind = STR("user"), .user_id = office.alice.id };

	return account_stop_sub_agent(world_task(&office.world), &office.authority, &alice, named);
}

static enum err allow(const struct sub_agent_named *named)
{
	const struct actor alice = { .kind = STR("user"), .user_id = office.alice.id };

	return account_allow_sub_agent(world_task(&office.world), &office.authority, &alice, named);
}

static void a_sub_agent_that_the_person_stopped_stays_stopped_until_allowed_again(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = derived("agent", first.access_token, "a");
	struct token_answer third = derived("agent", second.access_token, "b");
	struct sub_agent_named named;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(look(third.access_token), OK);
	named = named_of("agent#a");
	CHECK_ERR(stop(&named), OK);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
	CHECK_ERR(look(third.access_token), ERR_TOKEN);
	wish = wish_of("agent", fresh_token(&first), "a");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
	CHECK_ERR(look(derived("agent", first.access_token, "other").access_token), OK);
	CHECK_ERR(allow(&named), OK);
	CHECK_ERR(look(derived("agent", fresh_token(&first), "a").access_token), OK);
}

static void nobody_acts_through_an_installation_whose_sub_agents_are_all_stopped(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = derived("agent", first.access_token, "a");
	struct sub_agent_named named;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(look(second.access_token), OK);
	named = named_of("");
	CHECK_ERR(stop(&named), OK);
	CHECK_ERR(look(second.access_token), ERR_TOKEN);
	CHECK_ERR(look(first.access_token), OK);
	wish = wish_of("agent", fresh_token(&first), "new");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
}

static void somebody_elses_sub_agent_or_none_cannot_be_stopped(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct actor other = { .kind = STR("user"), .user_id = STR("usr_other") };
	struct sub_agent_named named;

	(void)state;
	CHECK_ERR(look(first.access_token), OK);
	named = named_of("agent#a");
	CHECK_ERR(stop(&named), ERR_NOT_FOUND);
	(void)derived("agent", first.access_token, "a");
	CHECK_ERR(account_stop_sub_agent(world_task(&office.world), &office.authority, &other,
					 &named),
		  ERR_NOT_FOUND);
}

static void ex_019_the_51st_live_child_of_one_parent_waits_for_the_first_to_end(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read"), second;
	struct token_wish wish;

	(void)state;
	second = derived("agent", fresh_token(&first), "a");
	for (int i = 1; i < 50; i++)
		(void)derived("agent", fresh_token(&first), "a");
	wish = wish_of("agent", fresh_token(&first), "a");
	CHECK_ERR(exchange(&wish), ERR_THROTTLED);
	CHECK(wish.retry_after > 0 && wish.retry_after <= 301);
	CHECK_ERR(exchange(&wish), ERR_THROTTLED);
	CHECK(office_events(&office, "token.refused") == 1);
	/* to give one back does not make room */
	revoke("agent", second.access_token);
	CHECK_ERR(exchange(&wish), ERR_THROTTLED);
	office_wait(&office, 301 * SECOND_MS);
	wish.subject_token = fresh_token(&first);
	CHECK_ERR(exchange(&wish), OK);
}

static void who_may_not_exchange_and_what_is_no_persons_is_refused(void **state)
{
	struct token_answer first = office_tokens(&office, "agent-2", "mail.read");
	struct token_wish wish = wish_of("agent-2", first.access_token, "a");

	(void)state;
	CHECK_ERR(exchange(&wish), ERR_CLIENT_NOT_ALLOWED);
	wish = wish_of("agent", first.access_token, "a");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
	first = office_tokens(&office, "agent", "mail.read");
	wish = wish_of("agent", first.access_token, "a b");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
	wish = wish_of("agent", first.access_token, "a");
	wish.details = STR("[{\"type\":\"operations\"}]");
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
	wish = wish_of("agent", first.access_token, "a");
	wish.actor_token = first.access_token;
	CHECK_ERR(exchange(&wish), ERR_REQUEST);
	wish.actor_token_type = STR(TOKEN_TYPE_ACCESS);
	CHECK_ERR(exchange(&wish), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, office_end)

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
		TEST(what_was_derived_ends_with_its_installation),
		TEST(what_was_derived_ends_with_the_grant_and_rests_with_its_pause),
		TEST(what_was_derived_ends_with_the_client_that_has_it),
		TEST(a_sub_agent_gives_back_its_token_and_what_it_handed_on_and_no_more),
		TEST(a_sub_agent_that_the_person_stopped_stays_stopped_until_allowed_again),
		TEST(nobody_acts_through_an_installation_whose_sub_agents_are_all_stopped),
		TEST(somebody_elses_sub_agent_or_none_cannot_be_stopped),
		TEST(ex_019_the_51st_live_child_of_one_parent_waits_for_the_first_to_end),
		TEST(who_may_not_exchange_and_what_is_no_persons_is_refused),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
