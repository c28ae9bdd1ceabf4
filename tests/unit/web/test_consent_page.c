/* SPDX-License-Identifier: Apache-2.0 */
/* The consent page against whoever bends its form, and against what became of things meanwhile. */
#include "authority/account.h"
#include "desk.h"

/* Once written past the end of an array that counted the boxes, not the names in them. */
static void names_squeezed_into_one_tick_are_no_answer(void **state)
{
	static const char *const answers[] = {
		"decision=allow&duration=1h&scope=mail.read+mail.send",
		"decision=allow&duration=1h&scope=mail.read+mail.send+mail.report",
	};
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read mail.send mail.report");
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		desk_get(&desk, target);
		office_wait(&desk.office, 1000);
		assert_int_equal(desk_answer(&desk, target, answers[i]), 400);
	}
	CHECK(office_events(&desk.office, "grant.allowed") == 0);
	desk_close(&desk);
}

static void a_scope_ticked_twice_is_given_once(void **state)
{
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read mail.send");
	desk_get(&desk, target);
	office_wait(&desk.office, 1000);
	assert_int_equal(desk_answer(&desk, target,
				     "decision=allow&duration=1h&scope=mail.read&scope=mail.read"),
			 303);
	CHECK(office_grant(&desk.office, "agent").permission_count == 1);
	desk_close(&desk);
}

/* alice lets the agent read, by the page. */
static void allow_reading(struct desk *desk)
{
	struct str target = desk_question(desk, "mail.read");

	desk_get(desk, target);
	office_wait(&desk->office, 1000);
	assert_int_equal(desk_answer(desk, target, "decision=allow&duration=1h&scope=mail.read"),
			 303);
}

static void a_paused_agent_stays_paused_and_the_pages_say_by_whom(void **state)
{
	struct actor operator_ = { .kind = STR("operator") };
	struct actor alice = { .kind = STR("user") };
	struct desk desk;
	struct str id, agent;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	allow_reading(&desk);
	id = office_grant(&desk.office, "agent").id;
	agent = STR_JOIN(desk_arena(&desk), STR("/account/agents/"), id);
	alice.user_id = desk.office.alice.id;
	CHECK_ERR(account_pause(world_task(&desk.office.world), &desk.office.authority, &alice, id),
		  OK);
	desk_get(&desk, desk_question(&desk, "mail.read"));
	CHECK(desk_says(&desk, "You paused this agent. It stays paused"));
	desk_get(&desk, agent);
	CHECK(desk_says(&desk, "value=\"resume\""));
	CHECK_ERR(account_pause(world_task(&desk.office.world), &desk.office.authority, &operator_,
				id),
		  OK);
	desk_get(&desk, desk_question(&desk, "mail.read"));
	CHECK(desk_says(&desk, "Your operator paused this agent. It stays paused"));
	desk_get(&desk, agent);
	CHECK(desk_says(&desk, "Your operator paused it"));
	CHECK(!desk_says(&desk, "value=\"resume\""));
	CHECK(desk_says(&desk, "value=\"revoke\""));
	desk_close(&desk);
}

int main(void)
{
	return RUN(cmocka_unit_test(names_squeezed_into_one_tick_are_no_answer),
		   cmocka_unit_test(a_scope_ticked_twice_is_given_once),
		   cmocka_unit_test(a_paused_agent_stays_paused_and_the_pages_say_by_whom));
}
