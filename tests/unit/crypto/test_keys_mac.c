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

/* A key set to sign with, in this keyring. */
static void load_key(struct keys_world *world, const char *purpose)
{
	struct key_record record;

	CHECK_ERR(keys_generate(&world->task, world->keys, str_from_c(purpose), ALG_ES256, &record),
		  OK);
	CHECK_ERR(keys_load(&world->task, world->keys, &record, 1), OK);
}

static struct key_order order(void)
{
	return (struct key_order){ .purpose = STR("access"),
				   .typ = STR("at+jwt"),
				   .claims = STR("{\"sub\":\"usr_1\"}"),
				   .wants_tag = true,
				   .root_number = 1,
				   .seed = SEED,
				   .input = STR("input") };
}

static void both_tokens_at_once_are_those_of_two_questions(void **state)
{
	struct keys_world *world = *state;
	struct key_order both = order();
	json_t *claims = NULL;
	struct key_issued issued = { 0 };
	struct str purpose = STR_NONE;

	load_key(world, "access");
	CHECK_ERR(keys_issue(&world->task, world->keys, &both, &issued), OK);
	CHECK_STR(((struct str){ (const char *)issued.tag, SHA256_LEN }),
		  mac_refresh(world, world->keys, SEED, STR("input")));
	CHECK_ERR(
		keys_verify_jwt(&world->task, world->keys, issued.jwt, both.typ, &claims, &purpose),
		OK);
	assert_string_equal(json_string_value(json_object_get(claims, "sub")), "usr_1");
	json_decref(claims);
}

static void a_presented_tag_that_is_not_ours_is_answered_nothing(void **state)
{
	struct keys_world *world = *state;
	struct key_order wanted = order();
	struct key_issued issued = { 0 };
	struct str right;

	load_key(world, "access");
	right = mac_refresh(world, world->keys, SEED, STR("generation 1"));
	wanted.presented_root = 1;
	wanted.presented_input = STR("generation 1");
	wanted.presented_tag = right;
	CHECK_ERR(keys_issue(&world->task, world->keys, &wanted, &issued), OK);
	issued.jwt = STR_NONE;
	wanted.presented_input = STR("generation 2");
	CHECK_ERR(keys_issue(&world->task, world->keys, &wanted, &issued), ERR_TOKEN);
	wanted.presented_input = STR("generation 1");
	wanted.presented_tag = str_sub(right, 0, SHA256_LEN - 1);
	CHECK_ERR(keys_issue(&world->task, world->keys, &wanted, &issued), ERR_TOKEN);
	wanted.presented_tag = STR("");
	CHECK_ERR(keys_issue(&world->task, world->keys, &wanted, &issued), ERR_TOKEN);
	CHECK(issued.jwt.at == NULL);
}

/* Half an answer would be a token that nobody was told of. */
static void when_one_of_both_is_refused_nothing_is_answered(void **state)
{
	struct keys_world *world = *state;
	struct key_order unsigned_order = order(), untagged = order();
	struct key_issued issued = { 0 };
	static const uint8_t none[SHA256_LEN];

	load_key(world, "access");
	unsigned_order.purpose = STR("id");
	untagged.root_number = 2;
	CHECK_ERR(keys_issue(&world->task, world->keys, &unsigned_order, &issued), ERR_CRYPTO);
	CHECK_ERR(keys_issue(&world->task, world->keys, &untagged, &issued), ERR_CRYPTO);
	CHECK(issued.jwt.at == NULL);
	assert_memory_equal(issued.tag, none, sizeof(none));
}

int main(void)
{
	return RUN(WORLD_CASE(a_tag_is_the_same_after_a_restart),
		   WORLD_CASE(tags_of_other_labels_and_inputs_differ),
		   WORLD_CASE(tags_of_another_issuer_differ),
		   WORLD_CASE(a_refresh_tag_needs_both_root_and_seed),
		   WORLD_CASE(an_unknown_root_number_is_refused),
		   WORLD_CASE(both_tokens_at_once_are_those_of_two_questions),
		   WORLD_CASE(a_presented_tag_that_is_not_ours_is_answered_nothing),
		   WORLD_CASE(when_one_of_both_is_refused_nothing_is_answered));
}
