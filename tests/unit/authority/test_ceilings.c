/* SPDX-License-Identifier: Apache-2.0 */
/* What a code that waits, and installations, lose by what their person does meanwhile. */
#include "at_office.h"

#include "authority/ceilings.h"
#include "authority/installation.h"
#include "store/families.h"
#include "store/grants.h"

static struct actor person(void)
{
	return (struct actor){ .kind = STR("user"),
			       .user_id = office.alice.id,
			       .address = STR("127.0.0.1") };
}

static struct str code_for(const char *scope, const char *duration)
{
	struct str code = office_code(&office, "agent", scope, duration);

	return str_copy(&office.world.home.task.arena, code);
}

static struct token_wish redeem(struct str code, enum err expected)
{
	struct token_wish wish = office_wish(&office, "agent");

	wish.code = code;
	CHECK_ERR(office_redeem(&office, &wish), expected);
	return wish;
}

static void remove_scope(const char *scope)
{
	struct actor actor = person();

	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor,
				       office_grant(&office, "agent").id, str_from_c(scope)),
		  OK);
}

static struct family newest(void)
{
	struct task *task = world_task(&office.world);
	struct family *families = NULL;
	size_t count = 0;

	CHECK_ERR(family_list(task, world_reader(&office.world), office_grant(&office, "agent").id,
			      &families, &count),
		  OK);
	CHECK(count > 0);
	return families[0];
}

static void check_refresh(struct str refresh_token, const char *scope)
{
	struct token_wish wish;

	CHECK_ERR(office_refresh_with(&office, refresh_token, &wish), OK);
	CHECK_STR(wish.answer.scope, str_from_c(scope));
}

static void what_is_taken_away_is_not_for_a_code_that_waits_when_it_is_allowed_to_another(
	void **state)
{
	struct str waiting = code_for("mail.read mail.send", "30d");
	struct token_wish late;

	(void)state;
	remove_scope("mail.send");
	CHECK_STR(office_tokens(&office, "agent", "mail.send").scope, STR("mail.send"));
	late = redeem(waiting, OK);
	CHECK_STR(late.answer.scope, STR("mail.read"));
	check_refresh(late.answer.refresh_token, "mail.read");
}

static void nor_when_it_is_allowed_after_the_code_was_redeemed(void **state)
{
	struct str waiting = code_for("mail.read mail.send", "30d");
	struct token_wish late;

	(void)state;
	remove_scope("mail.send");
	late = redeem(waiting, OK);
	office_tokens(&office, "agent", "mail.send");
	check_refresh(late.answer.refresh_token, "mail.read");
}

static void nor_when_another_installation_is_widened_by_it(void **state)
{
	static const struct str words[] = { STR_INIT("{}") };
	struct str scope = STR("mail.send"), waiting;
	struct actor actor = person();
	struct widening widening = { .scope = { &scope, 1 },
				     .words = words,
				     .sentences = STR("[]") };
	struct family family;

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	family = newest();
	waiting = code_for("mail.read mail.send", "30d");
	remove_scope("mail.send");
	widening.named = (struct installation_named){ family.grant_id, family.id };
	CHECK_ERR(
		installation_widen(world_task(&office.world), &office.authority, &actor, &widening),
		OK);
	CHECK_STR(redeem(waiting, OK).answer.scope, STR("mail.read"));
}

static void what_runs_out_is_not_for_a_code_that_waits_either(void **state)
{
	struct str waiting;

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	office_wait(&office, DAY_MS - office.world.clock.now % DAY_MS - 20 * SECOND_MS);
	waiting = code_for("mail.send", "today");
	office_wait(&office, 20 * SECOND_MS);
	office_tokens(&office, "agent", "mail.send");
	redeem(waiting, ERR_GRANT);
}

static void nor_is_a_grant_that_ran_out_as_a_whole(void **state)
{
	struct str waiting;

	(void)state;
	office_wait(&office, DAY_MS - office.world.clock.now % DAY_MS - 20 * SECOND_MS);
	waiting = code_for("mail.read", "today");
	office_wait(&office, 20 * SECOND_MS);
	office_tokens(&office, "agent", "mail.read");
	redeem(waiting, ERR_GRANT);
}

static void a_code_that_waits_has_what_another_yes_adds_to_without_a_break(void **state)
{
	struct str waiting = code_for("mail.read mail.send", "1h");

	(void)state;
	office_tokens(&office, "agent", "mail.send");
	CHECK_STR(redeem(waiting, OK).answer.scope, STR("mail.read mail.send"));
}

/* --- a yes to a part of a scope --- */

#define HOUR_AHEAD (CHECK_NOW + HOUR_MS)
#define DAY_AHEAD  (CHECK_NOW + DAY_MS)

static const struct str some_actions[] = { STR_INIT("mail.move") };
static const struct detail part[] = {
	{ .scope = STR_INIT("mail.send"), .actions = some_actions, .action_count = 1 },
};

struct part_case {
	struct family family; /* may do all of mail.send */
	struct grant grant;
	struct permission before, next;
};

static enum err lower(struct task *task, struct db *db, void *arg)
{
	struct part_case *one = arg;
	struct details details = { STR(OFFICE_RESOURCE), part, COUNT_OF(part) };
	struct str id = STR_NONE;

	one->grant.permission_count = 1;
	one->grant.updated_at = CHECK_NOW - 1;
	one->grant.permissions = &one->before;
	TRY(grant_put(task, db, &one->grant, &id));
	TRY(family_set_ceiling(task, db, &one->family));
	one->grant.updated_at = CHECK_NOW;
	one->grant.permissions = &one->next;
	return ceilings_lower(task, db, &one->grant, &details);
}

static void a_yes_to_a_part_gives_nobody_the_whole_who_would_not_have_it_anyway(void **state)
{
	static const struct {
		enum mode mode;
		int64_t expires_at;
		bool has_it;
	} rows[] = {
		{ MODE_ALLOW, NEVER, true },	   { MODE_ALLOW, DAY_AHEAD, true },
		{ MODE_ALLOW, HOUR_AHEAD, false }, { MODE_ALLOW, CHECK_NOW, false },
		{ MODE_ASK, NEVER, false },	   { MODE_NEVER, NEVER, false },
	};
	struct part_case one = { 0 };

	(void)state;
	office_tokens(&office, "agent", "mail.read mail.send");
	one.family = newest();
	one.grant = office_grant(&office, "agent");
	one.next = (struct permission){ .scope = STR("mail.send"),
					.mode = MODE_ALLOW,
					.expires_at = DAY_AHEAD,
					.granted_at = CHECK_NOW };
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		one.before = one.next;
		one.before.mode = rows[i].mode;
		one.before.expires_at = rows[i].expires_at;
		CHECK_ERR(world_write(&office.world, lower, &one), OK);
		CHECK(scope_has(newest().ceiling, STR("mail.send")) == rows[i].has_it);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_is_taken_away_is_not_for_a_code_that_waits_when_it_is_allowed_to_another),
		TEST(nor_when_it_is_allowed_after_the_code_was_redeemed),
		TEST(nor_when_another_installation_is_widened_by_it),
		TEST(what_runs_out_is_not_for_a_code_that_waits_either),
		TEST(nor_is_a_grant_that_ran_out_as_a_whole),
		TEST(a_code_that_waits_has_what_another_yes_adds_to_without_a_break),
		TEST(a_yes_to_a_part_gives_nobody_the_whole_who_would_not_have_it_anyway),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
