/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root key's succession: who may begin it, who follows, and how what lies under the old moves.
 */
#include "at_office.h"

#include <stdio.h>
#include <string.h>

#include "authority/people.h"
#include "authority/revoke.h"
#include "authority/root_key.h"
#include "authority/signing.h"
#include "store/key_rows.h"
#include "store/nodes.h"
#include "store/root_rows.h"
#include "store/users.h"

#define PEOPLE 250 /* more than two batches */

static const struct actor someone = { .kind = STR_INIT("operator") };

static struct str root_file(void)
{
	return STR_JOIN(&world_task(&office.world)->arena, office.world.dir, STR("/root.key"));
}

/* As after a restart of the daemon, with the file as it is now. */
static struct keyring *take_up(void)
{
	struct task *task = world_task(&office.world);
	struct keyring *keys = NULL;

	CHECK_ERR(keys_open(task, root_file(), STR("https://grantd.test"), &keys), OK);
	CHECK_ERR(root_key_take_up(task, office.world.store, keys, root_file()), OK);
	office.authority.keys = keys;
	CHECK_ERR(signing_load(task, &office.authority), OK);
	return keys;
}

static struct keyring *take_up_with_another_root(void)
{
	uint32_t number = 0;

	CHECK_ERR(keys_add_root(world_task(&office.world), root_file(), &number), OK);
	return take_up();
}

static void give_back(struct keyring *keys)
{
	office.authority.keys = office.keys;
	keys_free(&keys);
}

static enum err found(struct task *task, struct db *db, void *arg)
{
	return root_key_found(task, db, arg);
}

/* What `grantd init` does, which the office left out. */
static int start_founded(void **state)
{
	(void)office_start(state);
	CHECK_ERR(world_write(&office.world, found, office.keys), OK);
	return 0;
}

static enum err begin(void)
{
	return root_key_begin(world_task(&office.world), &office.authority, &someone);
}

static struct root_use use_of(uint32_t number)
{
	struct root_use use = { 0 };

	CHECK_ERR(root_use_find(world_task(&office.world), world_reader(&office.world), number,
				INT64_MAX, &use),
		  OK);
	return use;
}

static bool rewrap(struct root_walk *walk)
{
	bool is_more = false;

	CHECK_ERR(root_key_rewrap(world_task(&office.world), &office.authority, walk, &is_more),
		  OK);
	return is_more;
}

static void rewrap_all(struct root_walk *walk)
{
	int steps = 0;

	while (rewrap(walk) && steps < 100)
		steps++;
	CHECK(steps < 100);
}

static void create_people(void)
{
	for (int i = 0; i < PEOPLE; i++) {
		struct task *task = world_task(&office.world);
		struct new_user wish = { .username = str_printf(&task->arena, "person%d", i) };
		struct user user;

		CHECK_ERR(user_create(task, &office.authority, &wish, &user), OK);
	}
}

/* --- setting up --- */

static void of_two_that_set_one_database_up_the_second_is_refused_with_what_to_do(void **state)
{
	struct task *task = world_task(&office.world);
	struct str file = STR_JOIN(&task->arena, office.world.dir, STR("/other.key"));
	struct keyring *other = NULL, *same = NULL;

	(void)state;
	CHECK_ERR(keys_create_root(task, file), OK);
	CHECK_ERR(keys_open(task, file, STR("https://grantd.test"), &other), OK);
	CHECK_ERR(world_write(&office.world, found, other), ERR_CONFLICT);
	CHECK(strstr(task->reason.at, "another grantd init has set this database up") != NULL);
	CHECK(strstr(task->reason.at, "--root-key FILE") != NULL);
	CHECK_ERR(keys_open(task, root_file(), STR("https://grantd.test"), &same), OK);
	CHECK_ERR(world_write(&office.world, found, same), OK); /* a second run of the first */
	CHECK_ERR(root_key_take_up(task, office.world.store, same, root_file()), OK);
	CHECK_ERR(root_key_take_up(task, office.world.store, other, file), ERR_CRYPTO);
	keys_free(&other);
	keys_free(&same);
}

/* --- moving --- */

static void a_walk_that_is_cut_off_is_gone_on_with_by_the_next_start(void **state)
{
	struct keyring *keys, *again;
	struct root_walk walk = { 0 }, later = { 0 };
	struct user alice;

	(void)state;
	create_people();
	keys = take_up_with_another_root();
	CHECK_ERR(begin(), OK);
	CHECK(use_of(1).people == PEOPLE + 1 && use_of(1).signing_keys == 2);
	CHECK(rewrap(&walk));
	CHECK(use_of(1).people == PEOPLE + 1 - 100 && use_of(2).people == 100);
	CHECK(use_of(2).signing_keys == 2);
	give_back(keys);
	again = take_up();
	CHECK(keys_root_number(again) == 2);
	rewrap_all(&later);
	CHECK(use_of(1).people == 0 && use_of(2).people == PEOPLE + 1);
	CHECK_ERR(user_find(world_task(&office.world), world_reader(&office.world), office.alice.id,
			    &alice),
		  OK);
	CHECK(keys_root_of(alice.wrapped_key) == 2);
	CHECK(!rewrap(&later)); /* nothing to do */
	give_back(again);
}

static enum err spoil(struct task *task, struct db *db, void *arg)
{
	struct wrapped_key *from = arg;
	struct str bytes = str_copy(&task->arena, from->bytes);

	((char *)(uintptr_t)bytes.at)[bytes.len - 1] ^= 1;
	TRY(root_move_person(task, db, from, bytes));
	from->bytes = bytes;
	return OK;
}

static enum err mend(struct task *task, struct db *db, void *arg)
{
	struct wrapped_key *pair = arg;

	return root_move_person(task, db, &pair[0], pair[1].bytes);
}

static void a_key_that_does_not_open_stays_by_name_and_the_others_move(void **state)
{
	struct task *task = world_task(&office.world);
	struct wrapped_key *people = NULL, pair[2];
	const struct root_place first = { 1, STR("") };
	struct root_walk walk = { 0 };
	struct keyring *keys;
	size_t count = 0;

	(void)state;
	create_people();
	CHECK_ERR(root_list_people(task, world_reader(&office.world), &first, PEOPLE, &people,
				   &count),
		  OK);
	pair[0] = pair[1] = people[150];
	CHECK_ERR(world_write(&office.world, spoil, &pair[0]), OK);
	keys = take_up_with_another_root();
	CHECK_ERR(begin(), OK);
	rewrap_all(&walk);
	CHECK(use_of(1).people == 1 && use_of(2).people == PEOPLE);
	CHECK_ERR(root_list_people(world_task(&office.world), world_reader(&office.world), &first,
				   10, &people, &count),
		  OK);
	CHECK(count == 1);
	CHECK_STR(people[0].user_id, pair[0].user_id);
	CHECK(!rewrap(&walk)); /* not again at once */
	CHECK_ERR(world_write(&office.world, mend, pair), OK);
	office_wait(&office, HOUR_MS);
	rewrap_all(&walk);
	CHECK(use_of(1).people == 0 && use_of(2).people == PEOPLE + 1);
	give_back(keys);
}

static enum err insert_key(struct task *task, struct db *db, void *arg)
{
	return key_row_insert(task, db, arg);
}

/* Made before, written after: it says itself by which root it is sealed. */
static void a_signing_key_that_is_made_while_the_root_changes_moves_too(void **state)
{
	struct keyring *keys = take_up_with_another_root();
	struct key_record record = { 0 }, *records = NULL;
	struct root_walk walk = { 0 };
	size_t count = 0;

	(void)state;
	CHECK_ERR(keys_generate(world_task(&office.world), keys, STR("access"), ALG_ES256, &record),
		  OK);
	CHECK_ERR(begin(), OK);
	rewrap_all(&walk);
	CHECK(use_of(1).signing_keys == 0);
	record.id = str_copy(&office.world.home.task.arena, record.id);
	CHECK_ERR(world_write(&office.world, insert_key, &record), OK);
	CHECK(use_of(1).signing_keys == 1);
	rewrap_all(&walk);
	CHECK(use_of(1).signing_keys == 0 && use_of(2).signing_keys == 3);
	CHECK_ERR(key_row_list_sealed(world_task(&office.world), world_reader(&office.world),
				      &records, &count),
		  OK);
	for (size_t i = 0; i < count; i++)
		CHECK(keys_root_of(records[i].sealed) == 2);
	give_back(keys);
}

/* --- other nodes --- */

static enum err revoke_step(struct task *task, void *arg)
{
	return token_revoke(task, &office.authority, arg, office_finished);
}

static enum err revoke(struct str token)
{
	struct revocation revocation = { .client = office_wish(&office, "agent").client,
					 .token = token };

	world_task(&office.world);
	return world_run(&office.world.home, revoke_step, &revocation);
}

static enum err introspect(struct str token)
{
	static struct introspection question;

	question = (struct introspection){ .token = token };
	question.resource = config_find_resource_named(office.config, STR("mail"));
	return token_introspect(world_task(&office.world), &office.authority, &question);
}

static void a_node_without_the_current_root_puts_everybody_off_and_ends_nothing(void **state)
{
	struct token_answer before = office_tokens(&office, "agent", "mail.read");
	struct keyring *without = office.keys, *keys;
	struct token_wish wish;
	struct str by_second;

	(void)state;
	keys = take_up_with_another_root();
	CHECK_ERR(begin(), OK);
	CHECK_ERR(office_refresh_with(&office, before.refresh_token, &wish), OK);
	by_second = wish.answer.refresh_token;
	office.authority.keys = without;
	/* before it has heard of it: by the row */
	CHECK_ERR(office_refresh_with(&office, by_second, &wish), ERR_BUSY);
	CHECK_ERR(revoke(by_second), ERR_BUSY);
	CHECK_ERR(introspect(before.access_token), OK); /* remembered for a second */
	CHECK_ERR(root_key_follow(world_task(&office.world), &office.authority), ERR_BUSY);
	CHECK_ERR(office_refresh_with(&office, by_second, &wish), ERR_BUSY);
	CHECK_ERR(office_refresh_with(&office, before.refresh_token, &wish), ERR_BUSY);
	CHECK_ERR(introspect(before.access_token), ERR_BUSY);
	CHECK_ERR(revoke(by_second), ERR_BUSY);
	CHECK_ERR(revoke(before.access_token), ERR_BUSY);
	office.authority.keys = keys;
	CHECK_ERR(office_refresh_with(&office, by_second, &wish), OK);
	CHECK_ERR(introspect(wish.answer.access_token), OK);
	CHECK_ERR(revoke(by_second), OK);
	give_back(keys);
}

/* Both ran `grantd root-key add`; sealed by its own, what it writes would open nowhere else. */
static void a_node_that_has_another_key_under_that_number_does_not_take_it_up(void **state)
{
	struct task *task = world_task(&office.world);
	struct str file = STR_JOIN(&task->arena, office.world.dir, STR("/copy.key"));
	struct keyring *other = NULL, *keys;
	uint32_t number = 0;

	(void)state;
	CHECK_ERR(keys_copy_root(task, root_file(), file), OK);
	CHECK_ERR(keys_add_root(task, file, &number), OK);
	CHECK_ERR(keys_open(task, file, STR("https://grantd.test"), &other), OK);
	keys = take_up_with_another_root();
	CHECK_ERR(begin(), OK);
	office.authority.keys = other;
	CHECK_ERR(root_key_follow(world_task(&office.world), &office.authority), ERR_BUSY);
	CHECK(keys_root_number(other) == 1);
	CHECK_ERR(keys_check(world_task(&office.world), other), ERR_BUSY);
	office.authority.keys = keys;
	keys_free(&other);
	give_back(keys);
}

static enum err put_nodes(struct task *task, struct db *db, void *arg)
{
	const struct node *node = arg;

	for (; node->id.at != NULL; node++)
		TRY(node_put(task, db, node));
	return OK;
}

static struct node node_seen(const char *id, const char *name, int64_t started_at, int64_t seen_at)
{
	return (struct node){ .id = str_from_c(id),
			      .name = str_from_c(name),
			      .version = STR("1"),
			      .settings = STR("s"),
			      .resources = STR("r"),
			      .root_keys = STR("1 a\n"),
			      .started_at = started_at,
			      .seen_at = seen_at,
			      .clock_at = seen_at };
}

static void a_node_that_is_silent_and_lacks_the_key_holds_it_up_until_it_is_believed_gone(
	void **state)
{
	struct keyring *keys = take_up_with_another_root();
	struct task *task = world_task(&office.world);
	int64_t now = task->now;
	struct node nodes[] = { node_seen("nod_a", "hangs", now - DAY_MS, now - 20 * MINUTE_MS),
				{ .id = STR_NONE } };

	(void)state;
	CHECK_ERR(world_write(&office.world, put_nodes, nodes), OK);
	CHECK_ERR(begin(), ERR_CONFLICT);
	CHECK(strstr(task->reason.at, "the node hangs, last heard of at ") != NULL);
	CHECK(keys_root_number(keys) == 1);
	office_wait(&office, 40 * MINUTE_MS + 1);
	CHECK_ERR(begin(), OK);
	CHECK(keys_root_number(keys) == 2);
	give_back(keys);
}

static void a_node_that_was_killed_and_started_with_the_key_does_not_hold_it_up(void **state)
{
	struct keyring *keys = take_up_with_another_root();
	struct task *task = world_task(&office.world);
	int64_t now = task->now;
	struct node nodes[] = { node_seen("nod_a", "one", now - DAY_MS, now - 2 * MINUTE_MS),
				node_seen("nod_b", "one", now - MINUTE_MS, now),
				{ .id = STR_NONE } };

	(void)state;
	nodes[1].root_keys = root_key_list(&task->arena, keys);
	CHECK_ERR(world_write(&office.world, put_nodes, nodes), OK);
	CHECK_ERR(begin(), OK);
	give_back(keys);
}

static void of_very_many_nodes_none_is_overlooked(void **state)
{
	struct keyring *keys = take_up_with_another_root();
	struct task *task = world_task(&office.world);
	struct node nodes[152] = { { .id = STR_NONE } };

	(void)state;
	for (size_t i = 0; i < 151; i++) {
		const char *id = str_printf(&task->arena, "nod_%03zu", i).at;

		nodes[i] = node_seen(id, id, task->now, task->now);
		if (i < 150)
			nodes[i].root_keys = root_key_list(&task->arena, keys);
	}
	CHECK_ERR(world_write(&office.world, put_nodes, nodes), OK);
	CHECK_ERR(begin(), ERR_CONFLICT);
	CHECK(strstr(task->reason.at, "nod_150") != NULL);
	give_back(keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_founded, office_end)

int main(void)
{
	return RUN(
		TEST(of_two_that_set_one_database_up_the_second_is_refused_with_what_to_do),
		TEST(a_walk_that_is_cut_off_is_gone_on_with_by_the_next_start),
		TEST(a_key_that_does_not_open_stays_by_name_and_the_others_move),
		TEST(a_signing_key_that_is_made_while_the_root_changes_moves_too),
		TEST(a_node_without_the_current_root_puts_everybody_off_and_ends_nothing),
		TEST(a_node_that_has_another_key_under_that_number_does_not_take_it_up),
		TEST(a_node_that_is_silent_and_lacks_the_key_holds_it_up_until_it_is_believed_gone),
		TEST(a_node_that_was_killed_and_started_with_the_key_does_not_hold_it_up),
		TEST(of_very_many_nodes_none_is_overlooked));
}
