/* SPDX-License-Identifier: Apache-2.0 */
/* The account's pages when there is much to show, and when strangers get in the way. */
#include "crypto/random.h"
#include "desk.h"
#include "store/grants.h"

#define AGENTS 200

static enum err insert_grants(struct task *task, struct db *db, void *arg)
{
	const struct user *alice = arg;

	for (int i = 0; i < AGENTS; i++) {
		const struct permission permission = { .scope = STR("mail.read"),
						       .mode = MODE_ALLOW,
						       .expires_at = NEVER,
						       .words = STR("{}"),
						       .consent_event = STR("evt_x"),
						       .granted_at = task->now };
		const struct grant grant = {
			.id = random_id(&task->arena, "gra_"),
			.user_id = alice->id,
			.client_id = STR("agent"),
			.resource = str_printf(&task->arena,
					       "https://grantd.test/r/of-some-length-%d", i),
			.basis = STR("person"),
			.created_at = task->now,
			.updated_at = task->now,
			.expires_at = NEVER,
			.permissions = &permission,
			.permission_count = 1,
		};
		struct str id;

		TRY(grant_put(task, db, &grant, &id));
	}
	return OK;
}

static void however_many_agents_there_are_they_can_be_stopped(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	CHECK_ERR(world_write(&desk.office.world, insert_grants, &desk.office.alice), OK);
	assert_int_equal(desk_get(&desk, STR("/account")), 200);
	CHECK(desk_says(&desk, "value=\"pause-all\""));
	CHECK(desk_says(&desk, "200 agents may act for you"));
	desk_close(&desk);
}

static void wrong_password(struct desk *desk)
{
	struct arena *arena = desk_arena(desk);

	desk_get(desk, STR("/login?again=1"));
	desk_ask(desk, "POST", STR("/login"),
		 STR_JOIN(arena, STR("username=alice&password=a+guess&csrf="),
			  desk_value(desk, "csrf")));
}

static void strangers_guesses_do_not_keep_the_owner_from_a_new_password(void **state)
{
	struct desk desk;
	char own;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	own = desk.browser[0];
	desk.browser[0] = 'Z';
	for (int i = 0; i < 12; i++)
		wrong_password(&desk);
	desk.browser[0] = own;
	desk_get(&desk, STR("/account/security"));
	assert_int_equal(desk_ask(&desk, "POST", STR("/account/security"),
				  STR_JOIN(desk_arena(&desk), STR("action=password&csrf="),
					   desk_value(&desk, "csrf"),
					   STR("&password=correct+horse+battery+staple"
					       "&new_password=another+good+one"))),
			 303);
	desk_close(&desk);
}

static void who_guesses_too_often_reads_how_long_to_wait(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk);
	for (int i = 0; i < 11; i++)
		wrong_password(&desk);
	assert_int_equal(desk.exchange->reply.status, 429);
	CHECK_STR(desk_field(&desk, "Retry-After"), STR("1"));
	CHECK(desk_says(&desk, "Wait 1 second, then try again."));
	desk_close(&desk);
}

static void our_own_permissions_are_asked_for_in_the_readers_language(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk);
	desk.language = STR("de");
	desk_sign_in(&desk);
	assert_int_equal(desk_get(&desk, desk_question(&desk, "mail.read openid email")), 200);
	CHECK(desk_says(&desk, "Ihre E-Mail-Adresse sehen"));
	CHECK(desk_says(&desk, "erfahren, dass Sie es sind"));
	CHECK(!desk_says(&desk, "e-mail address"));
	desk_close(&desk);
}

static void a_question_put_to_somebody_else_says_so(void **state)
{
	struct desk desk;
	struct str target;

	(void)state;
	desk_open(&desk);
	desk_sign_in(&desk);
	target = desk_question(&desk, "mail.read");
	desk.browser[0] = 'Z';
	desk_sign_in(&desk);
	assert_int_equal(desk_get(&desk, target), 403);
	CHECK(desk_says(&desk, "This question is not yours to answer"));
	CHECK(!desk_says(&desk, "class=\"detail\"")); /* in English, whatever the language */
	desk_close(&desk);
}

int main(void)
{
	return RUN(cmocka_unit_test(however_many_agents_there_are_they_can_be_stopped),
		   cmocka_unit_test(strangers_guesses_do_not_keep_the_owner_from_a_new_password),
		   cmocka_unit_test(who_guesses_too_often_reads_how_long_to_wait),
		   cmocka_unit_test(our_own_permissions_are_asked_for_in_the_readers_language),
		   cmocka_unit_test(a_question_put_to_somebody_else_says_so));
}
