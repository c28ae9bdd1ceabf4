/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_world.h"

#define ALICE STR("usr_alice")
#define BOB   STR("usr_bob")

static const struct seal_place mail_token = {
	.table = STR_INIT("connections"),
	.row = STR_INIT("con_1"),
	.column = STR_INIT("refresh_token"),
	.user_id = STR_INIT("usr_alice"),
	.version = 3,
};

static struct str new_user(struct keys_world *world, struct str user_id)
{
	struct str wrapped = STR_NONE;

	CHECK_ERR(keys_new_user_key(&world->task, world->keys, user_id, &wrapped), OK);
	return wrapped;
}

static struct str seal(struct keys_world *world, struct str wrapped, struct seal_place place)
{
	struct str sealed = STR_NONE;

	CHECK_ERR(keys_seal(&world->task, world->keys, wrapped, &place, STR("a secret"), &sealed),
		  OK);
	return sealed;
}

/* Nothing is given out with a refusal. */
static void check_closed(struct keys_world *world, struct str wrapped, struct seal_place place,
			 struct str sealed)
{
	struct secret plain = { 0 };

	CHECK_ERR(keys_unseal(&world->task, world->keys, wrapped, &place, sealed, &plain),
		  ERR_CRYPTO);
	CHECK(plain.at == NULL && plain.len == 0);
}

static void check_open(struct keys_world *world, struct str wrapped, struct seal_place place,
		       struct str sealed)
{
	CLEANUP(secret_wipe) struct secret plain = { 0 };

	CHECK_ERR(keys_unseal(&world->task, world->keys, wrapped, &place, sealed, &plain), OK);
	CHECK_STR(secret_reveal(&plain), STR("a secret"));
}

static void what_is_sealed_opens_in_its_place(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE), sealed = seal(world, wrapped, mail_token);

	check_open(world, wrapped, mail_token, sealed);
	CHECK(memmem(sealed.at, sealed.len, "a secret", 8) == NULL);
	CHECK(sealed.len <= strlen("a secret") + KEYS_SEAL_MARGIN);
}

static void empty_and_large_values_come_back(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE), sealed;
	struct str large = { arena_alloc(&world->task.arena, 300000), 300000 };
	CLEANUP(secret_wipe) struct secret plain = { 0 };

	CHECK_ERR(keys_seal(&world->task, world->keys, wrapped, &mail_token, STR(""), &sealed), OK);
	CHECK_ERR(keys_unseal(&world->task, world->keys, wrapped, &mail_token, sealed, &plain), OK);
	CHECK(plain.len == 0);
	CHECK_ERR(keys_seal(&world->task, world->keys, wrapped, &mail_token, large, &sealed), OK);
	CHECK_ERR(keys_unseal(&world->task, world->keys, wrapped, &mail_token, sealed, &plain), OK);
	CHECK_STR(secret_reveal(&plain), large);
}

static void two_seals_of_one_value_share_nothing(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE);
	struct str a = seal(world, wrapped, mail_token), b = seal(world, wrapped, mail_token);

	CHECK(!str_equals(str_sub(a, 1, 24), str_sub(b, 1, 24)));
	CHECK(!str_equals(str_from(a, 25), str_from(b, 25)));
}

/* VL-017 */
static void a_value_moved_to_another_place_does_not_open(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE), sealed = seal(world, wrapped, mail_token);
	struct seal_place moved[6];

	for (size_t i = 0; i < COUNT_OF(moved); i++)
		moved[i] = mail_token;
	moved[0].table = STR("approvals");
	moved[1].row = STR("con_2");
	moved[2].column = STR("access_token");
	moved[3].version = 4;
	moved[4].version = 2;
	moved[5].row = STR("con_1refresh_token"); /* the same letters, cut elsewhere */
	moved[5].column = STR("");
	for (size_t i = 0; i < COUNT_OF(moved); i++)
		check_closed(world, wrapped, moved[i], sealed);
	check_open(world, wrapped, mail_token, sealed);
}

/* VL-017 */
static void a_value_moved_to_another_user_does_not_open(void **state)
{
	struct keys_world *world = *state;
	struct str alice = new_user(world, ALICE), bob = new_user(world, BOB);
	struct str sealed = seal(world, alice, mail_token);
	struct seal_place place = mail_token;

	place.user_id = BOB;
	check_closed(world, bob, place, sealed);
	check_closed(world, bob, mail_token, sealed); /* bob's key in alice's row */
	check_closed(world, alice, place, sealed);    /* alice's key and value in bob's row */
	check_closed(world, new_user(world, ALICE), mail_token, sealed); /* erased, made anew */
}

static void a_persons_value_never_depends_on_the_root_alone(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE), sealed = seal(world, wrapped, mail_token);
	struct str unused = STR_NONE;

	check_closed(world, STR_NONE, mail_token, sealed);
	check_closed(world, STR(""), mail_token, sealed); /* a destroyed key */
	CHECK_ERR(keys_seal(&world->task, world->keys, STR_NONE, &mail_token, STR("x"), &unused),
		  ERR_CRYPTO);
	CHECK_ERR(keys_new_user_key(&world->task, world->keys, STR_NONE, &unused), ERR_INTERNAL);
	CHECK(unused.at == NULL);
}

static void what_belongs_to_nobody_is_sealed_under_the_root(void **state)
{
	struct keys_world *world = *state;
	struct seal_place place = mail_token;
	struct str sealed;

	place.user_id = STR_NONE;
	sealed = seal(world, STR_NONE, place);
	check_open(world, STR_NONE, place, sealed);
	place.version++;
	check_closed(world, STR_NONE, place, sealed);
}

static void one_flipped_bit_anywhere_does_not_open(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE);
	struct str sealed = seal(world, wrapped, mail_token);

	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		char changed[128];

		memcpy(changed, sealed.at, sealed.len);
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
		check_closed(world, wrapped, mail_token, (struct str){ changed, sealed.len });
	}
	for (size_t bit = 0; bit < wrapped.len * 8; bit++) {
		char changed[128];

		memcpy(changed, wrapped.at, wrapped.len);
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
		check_closed(world, (struct str){ changed, wrapped.len }, mail_token, sealed);
	}
}

static void truncated_and_lengthened_values_do_not_open(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE), sealed = seal(world, wrapped, mail_token);

	for (size_t len = 0; len < sealed.len; len++)
		check_closed(world, wrapped, mail_token, str_sub(sealed, 0, len));
	for (size_t len = 1; len < wrapped.len; len++)
		check_closed(world, str_sub(wrapped, 0, len), mail_token, sealed);
	check_closed(world, wrapped, mail_token, STR_JOIN(&world->task.arena, sealed, STR("\0")));
	check_closed(world, wrapped, mail_token, STR_NONE);
}

/* VL-022 */
static void another_root_opens_nothing(void **state)
{
	struct keys_world *world = *state;
	struct str wrapped = new_user(world, ALICE), sealed = seal(world, wrapped, mail_token);
	struct str file = world_file(world, "other.key");

	keys_free(&world->keys);
	CHECK_ERR(keys_create_root(&world->task, file), OK);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &world->keys), OK);
	check_closed(world, wrapped, mail_token, sealed);
}

static void values_of_an_older_root_open_while_it_is_in_the_file(void **state)
{
	static const char key_1[] = "1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n";
	static const char key_2[] = "2 Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA\n";
	struct keys_world *world = *state;
	struct str file = world_file(world, "other.key"), wrapped, sealed;

	keys_free(&world->keys);
	world_write(file, STR_JOIN(&world->task.arena, str_from_c(key_1)), 0600);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &world->keys), OK);
	wrapped = new_user(world, ALICE);
	sealed = seal(world, wrapped, mail_token);

	keys_free(&world->keys);
	world_write(file, STR_JOIN(&world->task.arena, str_from_c(key_1), str_from_c(key_2)), 0600);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &world->keys), OK);
	check_open(world, wrapped, mail_token, sealed);

	keys_free(&world->keys);
	world_write(file, str_from_c(key_2), 0600);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &world->keys), OK);
	check_closed(world, wrapped, mail_token, sealed);
}

static void a_seal_and_a_mac_at_once_are_what_they_are_alone(void **state)
{
	struct keys_world *world = *state;
	struct seal_order order = {
		.wrapped = new_user(world, ALICE),
		.place = mail_token,
		.plain = STR("a secret"),
		.wants_tag = true,
		.label = MAC_CODE,
		.input = STR("input"),
	};
	struct key_sealed sealed = { 0 };
	uint8_t alone[SHA256_LEN];

	/* nothing is gathered, so it is asked at once */
	CHECK_ERR(keys_seal_with_others(&world->task, world->keys, &order, &sealed, NULL, NULL),
		  OK);
	check_open(world, order.wrapped, mail_token, sealed.bytes);
	CHECK_ERR(keys_mac(&world->task, world->keys, MAC_CODE, order.input, alone), OK);
	assert_memory_equal(alone, sealed.tag, sizeof(alone));

	sealed.bytes = STR_NONE;
	order.place.user_id = BOB;
	CHECK_ERR(keys_seal_with_others(&world->task, world->keys, &order, &sealed, NULL, NULL),
		  ERR_CRYPTO);
	order.place.user_id = ALICE;
	order.label = MAC_LABEL_COUNT;
	CHECK_ERR(keys_seal_with_others(&world->task, world->keys, &order, &sealed, NULL, NULL),
		  ERR_INTERNAL);
	CHECK(sealed.bytes.at == NULL);
}

int main(void)
{
	return RUN(WORLD_CASE(what_is_sealed_opens_in_its_place),
		   WORLD_CASE(empty_and_large_values_come_back),
		   WORLD_CASE(two_seals_of_one_value_share_nothing),
		   WORLD_CASE(a_value_moved_to_another_place_does_not_open),
		   WORLD_CASE(a_value_moved_to_another_user_does_not_open),
		   WORLD_CASE(a_persons_value_never_depends_on_the_root_alone),
		   WORLD_CASE(what_belongs_to_nobody_is_sealed_under_the_root),
		   WORLD_CASE(one_flipped_bit_anywhere_does_not_open),
		   WORLD_CASE(truncated_and_lengthened_values_do_not_open),
		   WORLD_CASE(another_root_opens_nothing),
		   WORLD_CASE(values_of_an_older_root_open_while_it_is_in_the_file),
		   WORLD_CASE(a_seal_and_a_mac_at_once_are_what_they_are_alone));
}
