/* SPDX-License-Identifier: Apache-2.0 */
/* Refresh tokens that should not be there: stolen ones, and ones from after a backup was taken. */
#include "at_office.h"

#include <string.h>

#include "authority/account.h"
#include "authority/issue.h"
#include "authority/signing.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "store/families.h"
#include "store/outbox.h"

static void a_stolen_token_ends_its_family_once_however_often_it_comes(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct token_wish thief = office_wish(&office, "agent-2");

		thief.refresh_token = first.refresh_token;
		CHECK_ERR(office_refresh(&office, &thief), ERR_GRANT);
	}
	CHECK(office_events(&office, "family.ended") == 1);
}

/* The row of a backup that was taken before the last rotations. */
static enum err restore(struct task *task, struct db *db, void *arg)
{
	struct family *family = arg;
	int64_t present = family->generation;

	family->generation = 1;
	return family_rotate(task, db, family, present);
}

static enum err take_item(struct task *task, struct db *db, void *arg)
{
	return outbox_take(task, db, task->now, task->now + 1, arg);
}

static void a_token_newer_than_the_database_pauses_the_grant_and_tells_the_resource(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct outbox_item item;
	struct family *families;
	struct token_wish wish;
	size_t count;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_ERR(family_list(world_task(&office.world), world_reader(&office.world),
			      office_grant(&office, "agent").id, &families, &count),
		  OK);
	CHECK(count == 1 && families[0].generation == 2);
	CHECK_ERR(world_write(&office.world, restore, &families[0]), OK);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), ERR_PAUSED);
	CHECK(wish.retry_after == 60);
	CHECK(office_grant(&office, "agent").paused_at != 0);
	CHECK(office_events(&office, "grant.paused") == 1);
	CHECK_ERR(world_write(&office.world, take_item, &item), OK);
}

/* Well formed in all, its checksum too, but for one bit of its tag. */
static struct str with_other_tag(struct task *task, struct str token)
{
	struct arena *arena = &task->arena;
	struct str bytes = STR_NONE;
	char crc[4], *copy;
	uint32_t sum;

	CHECK_ERR(base64url_decode(task, str_sub(token, 4, token.len - 10), &bytes), OK);
	copy = memcpy(arena_alloc(arena, bytes.len), bytes.at, bytes.len);
	copy[bytes.len - 1] ^= 1;
	bytes.at = copy;
	sum = crc32_of(bytes);
	for (int i = 0; i < 4; i++)
		crc[i] = (char)(sum >> (24 - 8 * i));
	return STR_JOIN(arena, STR("grt_"), base64url_encode(arena, bytes),
			base64url_encode(arena, (struct str){ crc, sizeof(crc) }));
}

/* The family's number stands in every access token: a resource could make the rest up. */
static void who_has_no_token_of_a_family_does_not_learn_how_it_stands(void **state)
{
	struct token_answer tokens = office_tokens(&office, "agent", "mail.read");
	struct task *task = world_task(&office.world);
	struct str forged = with_other_tag(task, tokens.refresh_token);
	struct actor alice = { .kind = STR("user"), .user_id = office.alice.id };
	struct token_wish wish;

	(void)state;
	CHECK_ERR(office_refresh_with(&office, forged, &wish), ERR_GRANT);
	CHECK_ERR(account_pause(task, &office.authority, &alice, office_grant(&office, "agent").id),
		  OK);
	CHECK_ERR(office_refresh_with(&office, tokens.refresh_token, &wish), ERR_PAUSED);
	CHECK(wish.retry_after > 0);
	CHECK_ERR(office_refresh_with(&office, forged, &wish), ERR_GRANT);
	CHECK(wish.retry_after == 0 && str_is_empty(wish.reason));
}

static void a_scope_that_was_taken_away_is_not_the_end_of_the_token(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read mail.send");
	struct actor actor = { .kind = STR("user"), .user_id = office.alice.id };
	struct token_wish wish = office_wish(&office, "agent");

	(void)state;
	CHECK_ERR(account_remove_scope(world_task(&office.world), &office.authority, &actor,
				       office_grant(&office, "agent").id, STR("mail.send")),
		  OK);
	wish.refresh_token = first.refresh_token;
	wish.scope = STR("mail.send");
	CHECK_ERR(office_refresh(&office, &wish), ERR_SCOPE);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_STR(wish.answer.scope, STR("mail.read"));
}

/* The daemon with a second root key in its file, after its restart. */
static struct keyring *reopen_with_second_root(void)
{
	struct task *task = world_task(&office.world);
	struct str file = STR_JOIN(&task->arena, office.world.dir, STR("/root.key"));
	struct keyring *keys = NULL;
	uint32_t number = 0;

	CHECK_ERR(keys_add_root(task, file, &number), OK);
	CHECK_ERR(keys_open(task, file, STR("https://grantd.test"), &keys), OK);
	office.authority.keys = keys;
	CHECK_ERR(signing_load(task, &office.authority), OK);
	return keys;
}

static struct family only_family(void)
{
	struct family *families = NULL;
	size_t count = 0;

	CHECK_ERR(family_list(world_task(&office.world), world_reader(&office.world),
			      office_grant(&office, "agent").id, &families, &count),
		  OK);
	CHECK(count == 1);
	return families[0];
}

/* As who has an exposed root key and the family's seed would make it. */
static struct str make_token(uint32_t root_number, int64_t generation)
{
	struct task *task = world_task(&office.world);
	struct family family = only_family();
	struct token_answer answer;
	struct standing standing;
	struct wish wish = { .scope = family.ceiling, .narrow = true };

	CHECK_ERR(standing_find_by_family(task, world_reader(&office.world), family.id, &standing),
		  OK);
	standing.family.root_number = root_number;
	standing.family.generation = generation;
	wish.resource = standing.grant.resource;
	wish.offered = issue_offered(task, &office.authority, wish.resource);
	CHECK_ERR(issue_tokens(task, &office.authority,
			       &(struct issue_order){
				       .standing = &standing, .wish = &wish, .is_renewable = true },
			       &answer),
		  OK);
	return answer.refresh_token;
}

static void a_family_moves_to_the_new_root_key_by_rotating_and_takes_no_token_by_the_old(
	void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct keyring *keys = reopen_with_second_root();
	struct task *task = world_task(&office.world);
	struct token_wish wish;
	struct str second;

	(void)state;
	CHECK_ERR(keys_use_root(task, keys, 2), OK);
	CHECK(only_family().root_number == 1);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK(only_family().root_number == 2 && only_family().generation == 2);
	second = wish.answer.refresh_token;
	/* the lost answer of before, by the old root key: what it should have got */
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	CHECK_STR(wish.answer.refresh_token, second);
	CHECK_ERR(office_refresh_with(&office, make_token(1, 2), &wish), ERR_GRANT);
	CHECK_ERR(office_refresh_with(&office, make_token(1, 3), &wish), ERR_GRANT);
	CHECK(only_family().revoked_at == 0 && only_family().generation == 2);
	CHECK_ERR(office_refresh_with(&office, second, &wish), OK);
	CHECK(only_family().root_number == 2 && only_family().generation == 3);
	office.authority.keys = office.keys;
	keys_free(&keys);
}

/*
 * The root key and the seed of before are out: what they can make was made by them before, or not.
 */
static void what_an_older_root_key_never_made_is_refused_however_old_it_says_it_is(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct keyring *keys = reopen_with_second_root();
	struct task *task = world_task(&office.world);
	struct token_wish wish;

	(void)state;
	CHECK_ERR(keys_use_root(task, keys, 2), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	for (int64_t generation = 3; generation < 6; generation++) {
		CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), OK);
		CHECK(only_family().generation == generation);
		/* within the window of a parallel call, in which the genuine one is answered */
		CHECK_ERR(office_refresh_with(&office, make_token(1, generation - 1), &wish),
			  ERR_GRANT);
		CHECK_ERR(office_refresh_with(&office, make_token(1, generation), &wish),
			  ERR_GRANT);
		CHECK_ERR(office_refresh_with(&office, make_token(2, 1), &wish), ERR_GRANT);
		CHECK_ERR(office_refresh_with(&office, make_token(2, generation - 1), &wish), OK);
	}
	CHECK(only_family().root_since == 2 && only_family().root_before == 1);
	CHECK(only_family().revoked_at == 0 && only_family().generation == 5);
	office.authority.keys = office.keys;
	keys_free(&keys);
}

static void of_several_moves_only_the_root_key_right_before_counts(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct keyring *second = reopen_with_second_root(), *third;
	struct task *task = world_task(&office.world);
	struct token_wish wish;
	struct str by_second;

	(void)state;
	CHECK_ERR(keys_use_root(task, second, 2), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	by_second = wish.answer.refresh_token;
	third = reopen_with_second_root();
	CHECK_ERR(keys_use_root(task, third, 3), OK);
	CHECK_ERR(office_refresh_with(&office, by_second, &wish), OK);
	CHECK(only_family().root_number == 3 && only_family().generation == 3);
	CHECK_ERR(office_refresh_with(&office, by_second, &wish), OK); /* a lost answer */
	CHECK_ERR(office_refresh_with(&office, make_token(1, 2), &wish), ERR_GRANT);
	CHECK_ERR(office_refresh_with(&office, make_token(1, 1), &wish), ERR_GRANT);
	CHECK(only_family().revoked_at == 0 && only_family().generation == 3);
	office.authority.keys = office.keys;
	keys_free(&second);
	keys_free(&third);
}

/* It hears late that there is a newer one, which its file has. */
static void a_node_that_still_uses_the_old_root_key_does_not_move_a_family_back(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct keyring *late = reopen_with_second_root(), *keys = NULL;
	struct task *task = world_task(&office.world);
	struct str file = STR_JOIN(&task->arena, office.world.dir, STR("/root.key"));
	struct token_wish wish;

	(void)state;
	CHECK_ERR(keys_open(task, file, STR("https://grantd.test"), &keys), OK);
	CHECK_ERR(keys_use_root(task, keys, 2), OK);
	office.authority.keys = keys;
	CHECK_ERR(signing_load(task, &office.authority), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	office.authority.keys = late;
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), OK);
	CHECK(only_family().root_number == 2 && only_family().generation == 3);
	CHECK_ERR(office_refresh_with(&office, wish.answer.refresh_token, &wish), OK);
	office.authority.keys = office.keys;
	keys_free(&late);
	keys_free(&keys);
}

/* Agents throw away what is refused as unknown, and a missing line of a file can be put back. */
static void a_living_installation_whose_root_key_is_not_in_the_file_is_put_off(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct keyring *keys = reopen_with_second_root();
	struct task *task = world_task(&office.world);
	struct token_wish wish;
	struct str token;

	(void)state;
	CHECK_ERR(keys_use_root(task, keys, 2), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	token = wish.answer.refresh_token;
	office.authority.keys = office.keys; /* has the first one only */
	CHECK_ERR(office_refresh_with(&office, token, &wish), ERR_BUSY);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_BUSY);
	CHECK(only_family().generation == 2 && only_family().revoked_at == 0);
	keys_free(&keys);
}

/* As a restart does once it was retired. */
static struct keyring *reopen_without_first_root(void)
{
	struct task *task = world_task(&office.world);
	struct str file = STR_JOIN(&task->arena, office.world.dir, STR("/root.key"));
	struct keyring *keys = NULL;

	CHECK_ERR(keys_remove_root(task, file, 1), OK);
	CHECK_ERR(keys_open(task, file, STR("https://grantd.test"), &keys), OK);
	office.authority.keys = keys;
	return keys;
}

static void a_token_by_a_root_key_that_was_retired_is_unknown(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct task *task = world_task(&office.world);
	struct keyring *keys = reopen_with_second_root(), *later;
	struct token_wish wish;

	(void)state;
	CHECK_ERR(keys_use_root(task, keys, 2), OK);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), OK);
	later = reopen_without_first_root();
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_GRANT);
	CHECK(only_family().generation == 2 && only_family().revoked_at == 0);
	office.authority.keys = office.keys;
	keys_free(&keys);
	keys_free(&later);
}

/* It stayed away until its refresh tokens ran out, and so it did not keep the key from retiring. */
static void an_installation_that_ran_out_under_a_retired_root_key_hears_that_it_did(void **state)
{
	struct token_answer first = office_tokens(&office, "agent", "mail.read");
	struct task *task = world_task(&office.world);
	struct keyring *keys = reopen_with_second_root(), *later;
	struct token_wish wish;

	(void)state;
	later = reopen_without_first_root();
	office_wait(&office, only_family().idle_expires_at - task->now);
	CHECK_ERR(office_refresh_with(&office, first.refresh_token, &wish), ERR_GRANT);
	office.authority.keys = office.keys;
	keys_free(&keys);
	keys_free(&later);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, office_start, office_end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_stolen_token_ends_its_family_once_however_often_it_comes),
		TEST(who_has_no_token_of_a_family_does_not_learn_how_it_stands),
		TEST(a_scope_that_was_taken_away_is_not_the_end_of_the_token),
		TEST(a_family_moves_to_the_new_root_key_by_rotating_and_takes_no_token_by_the_old),
		TEST(what_an_older_root_key_never_made_is_refused_however_old_it_says_it_is),
		TEST(of_several_moves_only_the_root_key_right_before_counts),
		TEST(a_living_installation_whose_root_key_is_not_in_the_file_is_put_off),
		TEST(an_installation_that_ran_out_under_a_retired_root_key_hears_that_it_did),
		TEST(a_node_that_still_uses_the_old_root_key_does_not_move_a_family_back),
		TEST(a_token_by_a_root_key_that_was_retired_is_unknown),
		TEST(a_token_newer_than_the_database_pauses_the_grant_and_tells_the_resource),
	};

	return check_run(tests, COUNT_OF(tests), NULL, NULL);
}
