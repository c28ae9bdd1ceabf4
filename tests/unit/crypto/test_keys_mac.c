/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_world.h"

#define SEED STR("0123456789abcdef0123456789abcdef")

static struct str mac(struct keys_world *world, struct keyring *keys, enum mac_label label,
		      const char *input)
{
	uint8_t tag[SHA256_LEN];

	CHECK_ERR(keys_mac(&world->task, keys, label, str_from_c(input), tag), OK);
	return str_copy(&world->task.arena, (struct str){ (const char *)tag, sizeof(tag) });
}

static struct str mac_refresh(struct keys_world *world, struct keyring *keys, struct str seed,
			      struct str input)
{
	uint8_t tag[SHA256_LEN];

	CHECK_ERR(keys_mac_refresh(&world->task, keys, 1, seed, input, tag), OK);
	return str_copy(&world->task.arena, (struct str){ (const char *)tag, sizeof(tag) });
}

static struct keyring *open_as(struct keys_world *world, const char *issuer)
{
	struct keyring *keys = NULL;

	CHECK_ERR(keys_open(&world->task, world->root_file, str_from_c(issuer), &keys), OK);
	return keys;
}

static void a_tag_is_the_same_after_a_restart(void **state)
{
	struct keys_world *world = *state;
	struct keyring *again = open_as(world, "https://grantd.example");

	CHECK_STR(mac(world, world->keys, MAC_CODE, "input"), mac(world, again, MAC_CODE, "input"));
	CHECK_STR(mac_refresh(world, world->keys, SEED, STR("input")),
		  mac_refresh(world, again, SEED, STR("input")));
	keys_free(&again);
}

static void tags_of_other_labels_and_inputs_differ(void **state)
{
	struct keys_world *world = *state;
	struct str code = mac(world, world->keys, MAC_CODE, "input");

	CHECK(!str_equals(code, mac(world, world->keys, MAC_CSRF, "input")));
	CHECK(!str_equals(code, mac(world, world->keys, MAC_BROWSER, "input")));
	CHECK(!str_equals(code, mac(world, world->keys, MAC_CODE, "inpuu")));
	CHECK(!str_equals(code, mac_refresh(world, world->keys, SEED, STR("input"))));
}

static void tags_of_another_issuer_differ(void **state)
{
	struct keys_world *world = *state;
	struct keyring *other = open_as(world, "https://grantd.exampl");

	/* the letter that the issuer lacks is put into the input */
	CHECK(!str_equals(mac(world, world->keys, MAC_CODE, "input"),
			  mac(world, other, MAC_CODE, "einput")));
	CHECK(!str_equals(mac_refresh(world, world->keys, SEED, STR("input")),
			  mac_refresh(world, other, SEED, STR("input"))));
	keys_free(&other);
}

static void a_refresh_tag_needs_both_root_and_seed(void **state)
{
	struct keys_world *world = *state;
	struct str file = world_file(world, "other.key");
	struct str tag = mac_refresh(world, world->keys, SEED, STR("input"));
	struct keyring *other = NULL;

	CHECK(!str_equals(tag, mac_refresh(world, world->keys,
					   STR("1123456789abcdef0123456789abcdef"), STR("input"))));
	CHECK(!str_equals(tag, mac_refresh(world, world->keys, SEED, STR("inpuu"))));
	CHECK_ERR(keys_create_root(&world->task, file), OK);
	CHECK_ERR(keys_open(&world->task, file, ISSUER, &other), OK);
	CHECK(!str_equals(tag, mac_refresh(world, other, SEED, STR("input"))));
	keys_free(&other);
}

static void an_unknown_root_number_is_refused(void **state)
{
	static const uint32_t numbers[] = { 0, 2, UINT32_MAX };
	struct keys_world *world = *state;
	uint8_t tag[SHA256_LEN];

	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		CHECK_ERR(keys_mac_refresh(&world->task, world->keys, numbers[i], SEED,
					   STR("input"), tag),
			  ERR_CRYPTO);
}

int main(void)
{
	return RUN(WORLD_CASE(a_tag_is_the_same_after_a_restart),
		   WORLD_CASE(tags_of_other_labels_and_inputs_differ),
		   WORLD_CASE(tags_of_another_issuer_differ),
		   WORLD_CASE(a_refresh_tag_needs_both_root_and_seed),
		   WORLD_CASE(an_unknown_root_number_is_refused));
}
