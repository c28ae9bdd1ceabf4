/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of one installation, and the pause that holds for it alone. */
#include "at_office.h"

#include "authority/installation.h"
#include "authority/seen.h"
#include "store/families.h"

static struct actor person(void)
{
	return (struct actor){ .kind = STR("user"),
			       .user_id = office.alice.id,
			       .address = STR("127.0.0.1") };
}

static struct family newest(const char *client)
{
	struct task *task = world_task(&office.world);
	struct family *families = NULL;
	size_t count = 0;

	CHECK_ERR(family_list(task, world_reader(&office.world), office_grant(&office, client).id,
			      &families, &count),
		  OK);
	CHECK(count > 0);
	return families[0];
}

static struct installation_named named(const struct family *family)
{
	return (struct installation_named){ family->grant_id, family->id };
}

static struct installation look(const struct family *family)
{
	struct task *task = world_task(&office.world);
	struct installation installation = { 0 };

	CHECK_ERR(installation_read(task, &office.authority, &office.alice, family, &installation),
		  OK);
	return installation;
}

static struct str refresh_from(const char *source, struct str token)
{
	struct token_wish wish = office_wish(&office, "agent");

	wish.refresh_token = token;
	wish.source = str_from_c(source);
	CHECK_ERR(office_refresh(&office, &wish), OK);
	return wish.answer.refresh_token;
}

static void it_is_known_from_where_it_came_first_and_last(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct family family = newest("agent");
	struct str mark = family.seen_mark, token = first.refresh_token;
	struct installation known = look(&family);

	(void)state;
	CHECK_STR(known.first_address, STR("127.0.0.1"));
	CHECK_STR(known.last_address, STR("127.0.0.1"));
	token = refresh_from("127.0.0.1", token);
	CHECK_STR(newest("agent").seen_mark, mark);
	token = refresh_from("2001:db8::7", token);
	family = newest("agent");
	CHECK(!str_equals(family.seen_mark, mark));
	known = look(&family);
	CHECK_STR(known.first_address, STR("127.0.0.1"));
	CHECK_STR(known.last_address, STR("2001:db8::7"));
	office_wait(&office, 1000);
	refresh_from("127.0.0.1", token);
	family = newest("agent");
	CHECK_STR(family.seen_mark, mark);
	CHECK_STR(look(&family).last_address, STR("127.0.0.1"));
}

/* Another row's place or name does not open here: who writes into the database moves nothing. */
static enum err copy_name(struct task *task, struct db *db, void *arg)
{
	struct family *families = arg;
	struct family_about about = { 0 };

	TRY(family_find_about(task, db, families[0].id, &about));
	return family_set_name(task, db, families[1].id, about.sealed_name, about.named_at);
}

static void a_name_that_was_put_into_another_row_is_not_read(void **state)
{
	struct actor actor = person();
	struct installation_named first;
	struct installation known;
	struct family families[2];

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	families[0] = newest("agent");
	office_wait(&office, 1000);
	office_tokens(&office, "agent", "mail.read");
	families[1] = newest("agent");
	first = named(&families[0]);
	CHECK_ERR(installation_name(world_task(&office.world), &office.authority, &actor, &first,
				    STR("Laptop")),
		  OK);
	CHECK_STR(look(&families[0]).name, STR("Laptop"));
	CHECK_STR(look(&families[1]).name, STR(""));
	CHECK_ERR(world_write(&office.world, copy_name, families), OK);
	CHECK(installation_read(world_task(&office.world), &office.authority, &office.alice,
				&families[1], &known) != OK);
}

struct meanwhile {
	struct world_task home;
	struct token_wish wish;
	struct family family;
};

/* On the writer's own thread: the refresh has read the row, and the pause is written first. */
static enum err pause_meanwhile(struct task *task, struct db *db, void *arg)
{
	struct meanwhile *meanwhile = arg;

	CHECK_ERR(token_refresh(&meanwhile->home.task, &office.authority, &meanwhile->wish,
				office_finished),
		  ERR_PARKED);
	return family_set_paused(task, db, meanwhile->family.id, task->now);
}

static enum err go_on(struct task *task, void *arg)
{
	(void)task;
	(void)arg;
	return ERR_PARKED;
}

static void a_pause_that_comes_while_it_refreshes_counts(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	static struct meanwhile meanwhile;
	struct actor actor = person();
	struct installation_named this_one;

	(void)state;
	world_task_begin(&office.world, &meanwhile.home);
	meanwhile.family = newest("agent");
	meanwhile.wish = office_wish(&office, "agent");
	meanwhile.wish.refresh_token = first.refresh_token;
	CHECK_ERR(world_write(&office.world, pause_meanwhile, &meanwhile), OK);
	CHECK_ERR(world_run(&meanwhile.home, go_on, NULL), ERR_PAUSED);
	CHECK(meanwhile.wish.retry_after > 0);
	CHECK_ERR(office_access(&office, first.access_token), ERR_PAUSED);
	this_one = named(&meanwhile.family);
	world_task_end(&meanwhile.home);
	CHECK_ERR(installation_resume(world_task(&office.world), &office.authority, &actor,
				      &this_one),
		  OK);
	refresh_from("127.0.0.1", first.refresh_token);
}

static void an_operator_names_pauses_and_widens_no_installation(void **state)
{
	struct actor actor = { .kind = STR("operator") };
	struct installation_named this_one;
	struct widening widening = { 0 };
	struct family family;

	(void)state;
	office_tokens(&office, "agent", "mail.read");
	family = newest("agent");
	this_one = widening.named = named(&family);
	CHECK_ERR(installation_name(world_task(&office.world), &office.authority, &actor, &this_one,
				    STR("x")),
		  ERR_FORBIDDEN);
	CHECK_ERR(
		installation_pause(world_task(&office.world), &office.authority, &actor, &this_one),
		ERR_FORBIDDEN);
	CHECK_ERR(
		installation_widen(world_task(&office.world), &office.authority, &actor, &widening),
		ERR_FORBIDDEN);
}

static const struct str some_actions[] = { STR_INIT("mail.move") };
static const struct detail some_of_each[] = {
	{ .scope = STR_INIT("mail.read"), .actions = some_actions, .action_count = 1 },
	{ .scope = STR_INIT("mail.send"), .actions = some_actions, .action_count = 1 },
};

static enum err leave_some_operations(struct task *task, struct db *db, void *arg)
{
	struct family family = *(struct family *)arg;

	family.details = (struct details){ STR(OFFICE_RESOURCE), some_of_each, 2 };
	return family_set_ceiling(task, db, &family);
}

/* The page names all that the scope can. */
static void what_it_had_some_operations_of_and_gets_anew_it_has_whole(void **state)
{
	static const struct str words[] = { STR_INIT("{}") };
	struct str scope = STR("mail.send");
	struct actor actor = person();
	struct widening widening = { .scope = { &scope, 1 },
				     .words = words,
				     .sentences = STR("[]") };
	struct family family;

	(void)state;
	office_tokens(&office, "agent", "mail.read mail.send");
	family = newest("agent");
	CHECK_ERR(world_write(&office.world, leave_some_operations, &family), OK);
	CHECK(newest("agent").details.count == 2);
	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor,
				       family.grant_id, scope),
		  OK);
	widening.named = named(&family);
	CHECK_ERR(
		installation_widen(world_task(&office.world), &office.authority, &actor, &widening),
		OK);
	family = newest("agent");
	CHECK(scope_has(family.ceiling, scope) && family.details.count == 1);
	CHECK_STR(family.details.items[0].scope, STR("mail.read"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_is_known_from_where_it_came_first_and_last),
		TEST(a_name_that_was_put_into_another_row_is_not_read),
		TEST(a_pause_that_comes_while_it_refreshes_counts),
		TEST(an_operator_names_pauses_and_widens_no_installation),
		TEST(what_it_had_some_operations_of_and_gets_anew_it_has_whole),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
