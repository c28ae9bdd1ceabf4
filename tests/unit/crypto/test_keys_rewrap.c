/* SPDX-License-Identifier: Apache-2.0 */
/* A root key's succession: the file grows and shrinks, and what lies under the old one moves. */
#include <fcntl.h>
#include <sys/file.h>

#include "keys_world.h"

#define ALICE STR("usr_alice")
#define BOB   STR("usr_bob")

static const struct seal_place mail = { .table = STR_INIT("connections"),
					.row = STR_INIT("con_1"),
					.column = STR_INIT("token"),
					.user_id = STR_INIT("usr_alice"),
					.version = 1 };

static uint32_t add_root(struct keys_world *world)
{
	uint32_t number = 0;

	CHECK_ERR(keys_add_root(&world->task, world->root_file, &number), OK);
	return number;
}

/* A keyring as a daemon has it after its restart. */
static struct keyring *reopen(struct keys_world *world)
{
	struct keyring *keys = NULL;

	CHECK_ERR(keys_open(&world->task, world->root_file, ISSUER, &keys), OK);
	return keys;
}

static void an_added_root_is_in_the_file_and_makes_nothing_yet(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = STR_NONE;
	struct keyring *keys;
	struct stat status;
	size_t count;

	CHECK(chmod(world->root_file.at, 0400) == 0);
	CHECK(add_root(world) == 2 && add_root(world) == 3);
	CHECK(stat(world->root_file.at, &status) == 0 && (status.st_mode & 07777) == 0400);
	CHECK(access(world_file(world, "root.key.new").at, F_OK) != 0);
	keys = reopen(world);
	(void)keys_roots(keys, &count);
	CHECK(count == 3 && keys_root_number(keys) == 1);
	CHECK_ERR(keys_new_user_key(&world->task, keys, ALICE, &wrapped), OK);
	CHECK(keys_root_of(wrapped) == 1);
	keys_free(&keys);
}

static void a_root_is_taken_out_and_the_others_stay_as_they_are(void **state)
{
	struct keys_world *world = *state;
	struct str before, after;
	struct keyring *keys;

	CHECK(add_root(world) == 2);
	keys = reopen(world);
	before = str_copy(&world->task.arena, keys_find_root(keys, 2)->fingerprint);
	keys_free(&keys);
	CHECK_ERR(keys_remove_root(&world->task, world->root_file, 1), OK);
	keys = reopen(world);
	after = keys_find_root(keys, 2)->fingerprint;
	CHECK_STR(before, after);
	CHECK(keys_find_root(keys, 1) == NULL && keys_root_number(keys) == 2);
	keys_free(&keys);
	CHECK_ERR(keys_remove_root(&world->task, world->root_file, 1), ERR_CONFIG);
	CHECK_ERR(keys_remove_root(&world->task, world->root_file, 2), ERR_CONFIG);
	CHECK(strstr(world->task.reason.at, "the only one") != NULL);
	CHECK(add_root(world) == 3); /* a number is never given again while a later one is there */
}

static void a_full_file_takes_no_further_root(void **state)
{
	struct keys_world *world = *state;
	uint32_t number = 0;

	for (uint32_t i = 2; i <= KEY_ROOTS_MAX; i++)
		CHECK(add_root(world) == i);
	CHECK_ERR(keys_add_root(&world->task, world->root_file, &number), ERR_CONFLICT);
	CHECK(number == 0);
}

static void a_last_line_that_does_not_end_is_taken_out_too(void **state)
{
	struct keys_world *world = *state;
	struct str file = world_file(world, "other.key");
	struct keyring *keys = NULL;

	world_write(file,
		    STR("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
			"2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
		    0600);
	CHECK_ERR(keys_remove_root(&world->task, file, 2), OK);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &keys), OK);
	CHECK(keys_find_root(keys, 1) != NULL && keys_find_root(keys, 2) == NULL);
	keys_free(&keys);
}

static void a_file_behind_a_link_is_changed_where_it_is(void **state)
{
	struct keys_world *world = *state;
	struct str link = world_file(world, "link.key");
	struct stat status;
	uint32_t number = 0;
	size_t count;
	struct keyring *keys;

	CHECK(symlink(world->root_file.at, link.at) == 0);
	CHECK_ERR(keys_add_root(&world->task, link, &number), OK);
	CHECK(lstat(link.at, &status) == 0 && S_ISLNK(status.st_mode));
	CHECK(lstat(world->root_file.at, &status) == 0 && S_ISREG(status.st_mode));
	keys = reopen(world);
	(void)keys_roots(keys, &count);
	CHECK(count == 2);
	keys_free(&keys);
}

/* It has the keys in it. */
static void what_a_killed_change_has_left_goes_at_the_next_start(void **state)
{
	struct keys_world *world = *state;
	struct str left = world_file(world, "root.key.new");
	int folder = open(world_file(world, ".").at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct keyring *keys;

	world_write(left, STR("# half of it"), 0600);
	CHECK(folder >= 0 && flock(folder, LOCK_EX) == 0);
	keys = reopen(world);
	keys_free(&keys);
	CHECK(access(left.at, F_OK) == 0); /* somebody is writing it now */
	CHECK(close(folder) == 0);
	keys = reopen(world);
	keys_free(&keys);
	CHECK(access(left.at, F_OK) != 0);
}

static void a_file_that_is_not_as_it_must_be_is_not_changed(void **state)
{
	struct keys_world *world = *state;
	struct str file = world_file(world, "other.key");
	uint32_t number = 0;

	CHECK_ERR(keys_add_root(&world->task, file, &number), ERR_CONFIG);
	CHECK(access(file.at, F_OK) != 0);
	world_write(file, STR("1 AAEC\n"), 0600);
	CHECK_ERR(keys_add_root(&world->task, file, &number), ERR_CONFIG);
	CHECK_ERR(keys_add_root(&world->task, world_file(world, "none/root.key"), &number), ERR_IO);
}

static void a_persons_key_moves_and_opens_what_it_opened(void **state)
{
	struct keys_world *world = *state;
	CLEANUP(secret_wipe) struct secret plain = { 0 };
	struct str old = STR_NONE, moved = STR_NONE, sealed = STR_NONE;
	struct keyring *keys;

	CHECK_ERR(keys_new_user_key(&world->task, world->keys, ALICE, &old), OK);
	CHECK_ERR(keys_seal(&world->task, world->keys, old, &mail, STR("a token"), &sealed), OK);
	CHECK(add_root(world) == 2);
	keys = reopen(world);
	CHECK_ERR(keys_use_root(&world->task, keys, 2), OK);
	CHECK_ERR(keys_rewrap_user_key(&world->task, keys, ALICE, old, &moved), OK);
	CHECK(keys_root_of(old) == 1 && keys_root_of(moved) == 2);
	keys_free(&keys);
	CHECK_ERR(keys_remove_root(&world->task, world->root_file, 1), OK);
	keys = reopen(world);
	CHECK_ERR(keys_unseal(&world->task, keys, moved, &mail, sealed, &plain), OK);
	CHECK_STR(secret_reveal(&plain), STR("a token"));
	CHECK_ERR(keys_unseal(&world->task, keys, old, &mail, sealed, &plain), ERR_CRYPTO);
	CHECK_ERR(keys_rewrap_user_key(&world->task, keys, ALICE, old, &moved), ERR_CRYPTO);
	keys_free(&keys);
}

/* Else one person's key could be made into another's by who may only ask. */
static void a_key_moves_only_for_the_person_it_belongs_to(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = STR_NONE, moved = STR_NONE;

	CHECK_ERR(keys_new_user_key(&world->task, world->keys, ALICE, &wrapped), OK);
	CHECK_ERR(keys_rewrap_user_key(&world->task, world->keys, BOB, wrapped, &moved),
		  ERR_CRYPTO);
	CHECK_ERR(keys_rewrap_user_key(&world->task, world->keys, STR(""), wrapped, &moved),
		  ERR_CRYPTO);
	CHECK_ERR(keys_rewrap_user_key(&world->task, world->keys, ALICE, STR("junk"), &moved),
		  ERR_CRYPTO);
	CHECK(moved.at == NULL);
}

static void a_signing_key_moves_and_signs(void **state)
{
	struct keys_world *world = *state;
	struct key_record record = { 0 }, other;
	struct str sealed = STR_NONE, jwt = STR_NONE;
	struct keyring *keys;

	CHECK_ERR(keys_generate(&world->task, world->keys, STR("access"), ALG_ES256, &record), OK);
	CHECK(add_root(world) == 2);
	keys = reopen(world);
	CHECK_ERR(keys_use_root(&world->task, keys, 2), OK);
	other = record;
	other.purpose = STR("id");
	CHECK_ERR(keys_rewrap_signing_key(&world->task, keys, &other, &sealed), ERR_CRYPTO);
	CHECK_ERR(keys_rewrap_signing_key(&world->task, keys, &record, &sealed), OK);
	keys_free(&keys);
	CHECK_ERR(keys_remove_root(&world->task, world->root_file, 1), OK);
	keys = reopen(world);
	CHECK_ERR(keys_load(&world->task, keys, &record, 1), ERR_CRYPTO);
	record.sealed = sealed;
	CHECK_ERR(keys_load(&world->task, keys, &record, 1), OK);
	CHECK_ERR(keys_sign_jwt(&world->task, keys, STR("access"), STR("at+jwt"), STR("{}"), &jwt),
		  OK);
	keys_free(&keys);
}

static void bytes_that_no_root_sealed_have_no_number(void **state)
{
	(void)state;
	CHECK(keys_root_of(STR_NONE) == 0 && keys_root_of(STR("\2\0\0\0")) == 0);
	CHECK(keys_root_of(STR("\1\0\0\0\1xxxx")) == 0);
	CHECK(keys_root_of(STR("\2\0\0\1\1xxxx")) == 257);
}

int main(void)
{
	return RUN(
		cmocka_unit_test_setup_teardown(an_added_root_is_in_the_file_and_makes_nothing_yet,
						world_begin, world_end),
		cmocka_unit_test_setup_teardown(a_root_is_taken_out_and_the_others_stay_as_they_are,
						world_begin, world_end),
		WORLD_CASE(a_last_line_that_does_not_end_is_taken_out_too),
		WORLD_CASE(a_file_behind_a_link_is_changed_where_it_is),
		WORLD_CASE(what_a_killed_change_has_left_goes_at_the_next_start),
		cmocka_unit_test_setup_teardown(a_full_file_takes_no_further_root, world_begin,
						world_end),
		cmocka_unit_test_setup_teardown(a_file_that_is_not_as_it_must_be_is_not_changed,
						world_begin, world_end),
		WORLD_CASE(a_persons_key_moves_and_opens_what_it_opened),
		WORLD_CASE(a_key_moves_only_for_the_person_it_belongs_to),
		WORLD_CASE(a_signing_key_moves_and_signs),
		WORLD_CASE(bytes_that_no_root_sealed_have_no_number));
}
