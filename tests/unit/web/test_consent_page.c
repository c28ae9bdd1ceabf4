/* SPDX-License-Identifier: Apache-2.0 */
/* The consent page against whoever bends its form, and against what became of things meanwhile. */
#include <string.h>

#include "authority/account.h"
#include "crypto/random.h"
#include "desk.h"
#include "store/grants.h"
#include "store/requests.h"

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

#define WORDS_LEN (32 * 1024)

/* As many yeses to parts of reading before as there are words for. */
static enum err insert_worded(struct task *task, struct db *db, void *arg)
{
	const struct user *alice = arg;
	char *earlier = arena_alloc(&task->arena, WORDS_LEN);
	const struct str head = STR("{\"title\":\"Read\",\"can\":[\""),
			 tail = STR("\"],\"cannot\":[]}");
	struct str id;

	memset(earlier, 'x', WORDS_LEN);
	return grant_put(
		task, db,
		&(struct grant){
			.id = random_id(&task->arena, "gra_"),
			.user_id = alice->id,
			.client_id = STR("agent"),
			.resource = STR(OFFICE_RESOURCE),
			.basis = STR("person"),
			.created_at = task->now,
			.updated_at = task->now,
			.expires_at = NEVER,
			.permission_count = 1,
			.permissions =
				&(struct permission){
					.scope = STR("mail.read"),
					.mode = MODE_ALLOW,
					.expires_at = NEVER,
					.words = STR_JOIN(
						&task->arena, head,
						(struct str){ earlier,
							      WORDS_LEN - head.len - tail.len },
						tail),
					.consent_event = STR("evt_x"),
					.granted_at = task->now },
		},
		&id);
}

/* The same question once more, for one operation only: what /par would have written. */
static enum err narrow_question(struct task *task, struct db *db, void *arg)
{
	static const struct str look[] = { STR_INIT("mail.look") };
	static const struct detail only[] = {
		{ .scope = STR_INIT("mail.read"), .actions = look, .action_count = 1 }
	};
	struct str *id = arg;
	struct auth_request request;

	TRY(auth_request_find(task, db, *id, &request));
	request.id = *id = random_id(&task->arena, "req_");
	request.details = (struct details){ STR(OFFICE_RESOURCE), only, COUNT_OF(only) };
	return auth_request_insert(task, db, &request);
}

static void yeses_to_parts_of_a_scope_never_become_too_many_words_to_allow_one_more(void **state)
{
	const struct str path = STR("/consent?request=");
	struct grant grant;
	struct desk desk;
	struct str id;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	CHECK_ERR(world_write(&desk.office.world, insert_worded, &desk.office.alice), OK);
	id = str_from(desk_question(&desk, "mail.read"), path.len);
	CHECK_ERR(world_write(&desk.office.world, narrow_question, &id), OK);
	id = STR_JOIN(desk_arena(&desk), path, id);
	desk_get(&desk, id);
	CHECK(desk_says(&desk, "mail.look"));
	office_wait(&desk.office, 1000);
	assert_int_equal(
		desk_answer(&desk, id, "decision=allow&duration=until-revoked&scope=mail.read"),
		303);
	grant = office_grant(&desk.office, "agent");
	CHECK_STR(grant.permissions[0].words,
		  STR("{\"title\":\"Read your mail\",\"can\":[\"see folders and read messages\"],"
		      "\"cannot\":[\"send anything\"]}"));
	desk_close(&desk);
}

int main(void)
{
	return RUN(
		cmocka_unit_test(names_squeezed_into_one_tick_are_no_answer),
		cmocka_unit_test(a_scope_ticked_twice_is_given_once),
		cmocka_unit_test(a_paused_agent_stays_paused_and_the_pages_say_by_whom),
		cmocka_unit_test(
			yeses_to_parts_of_a_scope_never_become_too_many_words_to_allow_one_more));
}
