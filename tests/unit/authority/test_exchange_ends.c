/* SPDX-License-Identifier: Apache-2.0 */
/* Sub-agents: what ends a token that was derived, also while it is being derived. */
#include "exchanging.h"

#include <semaphore.h>

#include "authority/account.h"
#include "authority/delegation.h"
#include "store/derivations.h"
#include "store/families.h"

static void what_was_derived_ends_with_its_installation(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = exchanging_derived("agent", first.access_token, "a");
	struct token_answer third = exchanging_derived("agent", second.access_token, "b");
	struct token_wish wish;

	(void)state;
	exchanging_revoke("agent", first.refresh_token);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(third.access_token), ERR_TOKEN);
	wish = exchanging_wish("agent", third.access_token, "c");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
}

static void what_was_derived_ends_with_the_grant_and_rests_with_its_pause(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = exchanging_derived("agent", first.access_token, "a");
	struct actor alice = { .kind = STR("user"), .user_id = office.alice.id };
	struct str grant_id = office_grant(&office, "agent").id;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(account_pause(world_task(&office.world), &office.authority, &alice, grant_id),
		  OK);
	CHECK_ERR(exchanging_look(second.access_token), ERR_PAUSED);
	wish = exchanging_wish("agent", second.access_token, "b");
	CHECK_ERR(exchanging_run(&wish), ERR_PAUSED);
	CHECK(wish.retry_after > 0);
	CHECK_ERR(account_resume(world_task(&office.world), &office.authority, &alice, grant_id),
		  OK);
	CHECK_ERR(exchanging_run(&wish), OK);
	CHECK_ERR(account_revoke(world_task(&office.world), &office.authority, &alice, grant_id),
		  OK);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(wish.answer.access_token), ERR_TOKEN);
}

static void what_was_derived_ends_with_the_client_that_has_it(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = exchanging_derived("helper", first.access_token, NULL);
	struct token_answer third = exchanging_derived("helper", second.access_token, "part");

	(void)state;
	CHECK_ERR(exchanging_look(third.access_token), OK);
	CHECK_ERR(client_disable(world_task(&office.world), &office.authority, STR("helper")), OK);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(third.access_token), ERR_TOKEN);
	CHECK_ERR(office_access(&office, first.access_token), OK);
	CHECK_ERR(client_enable(world_task(&office.world), &office.authority, STR("helper")), OK);
	CHECK_ERR(exchanging_look(third.access_token), ERR_TOKEN);
}

static void a_sub_agent_gives_back_its_token_and_what_it_handed_on_and_no_more(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = exchanging_derived("agent", first.access_token, "a");
	struct token_answer third = exchanging_derived("agent", second.access_token, "b");

	(void)state;
	exchanging_revoke("agent", second.access_token);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(third.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(first.access_token), OK);
	CHECK(office_events(&office, "sub_agent.ended") == 1);
	CHECK(office_events(&office, "family.ended") == 0);
	second = exchanging_derived("agent", exchanging_fresh(&first), "a");
	CHECK_ERR(exchanging_look(second.access_token), OK);
}

/* What alice stops or allows again: of the installation that was looked at last. */
static struct sub_agent_named named_of(const char *path)
{
	return (struct sub_agent_named){ .grant_id = office_grant(&office, "agent").id,
					 .family_id = exchanged_seen.family_id,
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
	struct token_answer second = exchanging_derived("agent", first.access_token, "a");
	struct token_answer third = exchanging_derived("agent", second.access_token, "b");
	struct sub_agent_named named;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(exchanging_look(third.access_token), OK);
	named = named_of("agent#a");
	CHECK_ERR(stop(&named), OK);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(third.access_token), ERR_TOKEN);
	wish = exchanging_wish("agent", exchanging_fresh(&first), "a");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
	CHECK_ERR(exchanging_look(
			  exchanging_derived("agent", first.access_token, "other").access_token),
		  OK);
	CHECK_ERR(allow(&named), OK);
	CHECK_ERR(exchanging_look(
			  exchanging_derived("agent", exchanging_fresh(&first), "a").access_token),
		  OK);
}

static void nobody_acts_through_an_installation_whose_sub_agents_are_all_stopped(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer second = exchanging_derived("agent", first.access_token, "a");
	struct sub_agent_named named;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(exchanging_look(second.access_token), OK);
	named = named_of("");
	CHECK_ERR(stop(&named), OK);
	CHECK_ERR(exchanging_look(second.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(first.access_token), OK);
	wish = exchanging_wish("agent", exchanging_fresh(&first), "new");
	CHECK_ERR(exchanging_run(&wish), ERR_REQUEST);
}

static void somebody_elses_sub_agent_or_none_cannot_be_stopped(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct actor other = { .kind = STR("user"), .user_id = STR("usr_other") };
	struct sub_agent_named named;

	(void)state;
	CHECK_ERR(exchanging_look(first.access_token), OK);
	named = named_of("agent#a");
	CHECK_ERR(stop(&named), ERR_NOT_FOUND);
	(void)exchanging_derived("agent", first.access_token, "a");
	CHECK_ERR(account_stop_sub_agent(world_task(&office.world), &office.authority, &other,
					 &named),
		  ERR_NOT_FOUND);
}

static enum err forget_all(struct task *task, struct db *db, void *arg)
{
	int64_t deleted = 0;

	(void)arg;
	TRY(derivation_sweep(task, db, INT64_MAX, 10, &deleted));
	CHECK(deleted == 1);
	return OK;
}

static void what_a_restored_database_forgot_is_not_revived_by_another_exchange(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct token_answer lost = exchanging_derived("agent", first.access_token, "a"), other,
			    late;

	(void)state;
	CHECK_ERR(world_write(&office.world, forget_all, NULL), OK);
	CHECK_ERR(exchanging_look(lost.access_token), ERR_TOKEN);
	other = exchanging_derived("agent", first.access_token, "b");
	CHECK_ERR(exchanging_look(lost.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(other.access_token), OK);
	CHECK_ERR(world_write(&office.world, forget_all, NULL), OK);
	office_wait(&office, SECOND_MS);
	late = exchanging_derived("agent", first.access_token, "a");
	CHECK_ERR(exchanging_look(late.access_token), OK);
	CHECK_ERR(exchanging_look(lost.access_token), ERR_TOKEN);
	CHECK_ERR(exchanging_look(other.access_token), ERR_TOKEN);
}

/* --- what ends while it is exchanged --- */

static sem_t queued;

/* What the exchange decides on was read before it: it ends when that is in the queue behind it. */
static void wait_for_exchange(void)
{
	while (sem_wait(&queued) != 0)
		continue;
	sem_post(&queued);
}

static enum err end_family(struct task *task, struct db *db, void *arg)
{
	bool is_now = false;

	(void)arg;
	wait_for_exchange();
	return family_revoke(task, db, exchanged_seen.family_id, task->now, STR("ended"), &is_now);
}

/* The token that was looked at last. */
static enum err end_subject(struct task *task, struct db *db, void *arg)
{
	struct str path = act_text(&task->arena, &exchanged_seen.act);
	struct derivation subject = { .key = { exchanged_seen.sub, exchanged_seen.family_id,
					       path_before(path), exchanged_seen.jti },
				      .path = path };
	bool is_now = false;

	(void)arg;
	wait_for_exchange();
	TRY(delegation_revoke(task, db, &subject, &is_now));
	CHECK(is_now);
	return OK;
}

static enum err stop_all(struct task *task, struct db *db, void *arg)
{
	const struct family family = { .id = exchanged_seen.family_id,
				       .user_id = exchanged_seen.sub };

	(void)arg;
	wait_for_exchange();
	return sub_agent_set_stopped(task, db, &family, STR(""), task->now, task->now);
}

static enum err submit_step(struct task *task, void *arg)
{
	write_fn *const *write = arg;

	return store_submit(task, office.world.store, *write, NULL, office_finished);
}

static enum err exchange_behind_step(struct task *task, void *arg)
{
	enum err err = exchanging_step(task, arg);

	CHECK_ERR(err, ERR_PARKED);
	sem_post(&queued);
	return err;
}

static enum err exchange_behind(write_fn *write, struct token_wish *wish)
{
	struct world_task task;
	enum err err;

	sem_init(&queued, 0, 0);
	world_task_begin(&office.world, &task);
	CHECK_ERR(submit_step(&task.task, &write), ERR_PARKED);
	world_task(&office.world);
	err = world_run(&office.world.home, exchange_behind_step, wish);
	world_task_end(&task);
	sem_destroy(&queued);
	return err;
}

static void what_ends_while_it_is_exchanged_becomes_nothing(void **state)
{
	static write_fn *const ends[] = { end_family, end_subject, stop_all };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct token_answer first = office_tokens(&office, "agent", "mail.read");
		struct token_answer second = exchanging_derived("agent", first.access_token, "a");
		struct token_wish wish = exchanging_wish("agent", second.access_token, "b");

		CHECK_ERR(exchanging_look(second.access_token), OK);
		CHECK_ERR(exchange_behind(ends[i], &wish), ERR_REQUEST);
		CHECK(wish.answer.access_token.at == NULL);
	}
	CHECK(office_events(&office, "token.exchanged") == COUNT_OF(ends));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, exchanging_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_was_derived_ends_with_its_installation),
		TEST(what_was_derived_ends_with_the_grant_and_rests_with_its_pause),
		TEST(what_was_derived_ends_with_the_client_that_has_it),
		TEST(a_sub_agent_gives_back_its_token_and_what_it_handed_on_and_no_more),
		TEST(a_sub_agent_that_the_person_stopped_stays_stopped_until_allowed_again),
		TEST(nobody_acts_through_an_installation_whose_sub_agents_are_all_stopped),
		TEST(somebody_elses_sub_agent_or_none_cannot_be_stopped),
		TEST(what_a_restored_database_forgot_is_not_revived_by_another_exchange),
		TEST(what_ends_while_it_is_exchanged_becomes_nothing),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
