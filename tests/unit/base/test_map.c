/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdio.h>

#include "check.h"

#define MANY 5000

static char names[MANY][8];
static int values[MANY];

static struct str name(size_t i)
{
	return str_from_c(names[i]);
}

static int begin(void **state)
{
	*state = map_new(42);
	for (size_t i = 0; i < MANY; i++)
		snprintf(names[i], sizeof(names[i]), "k%zu", i);
	return 0;
}

static int end(void **state)
{
	map_free((struct map **)state);
	CHECK(*state == NULL);
	map_free((struct map **)state);
	return 0;
}

static void what_was_set_is_found_and_nothing_else(void **state)
{
	struct map *map = *state;

	for (size_t i = 0; i < MANY; i++)
		CHECK(map_set(map, name(i), &values[i]) == NULL);
	CHECK(map_count(map) == MANY);
	for (size_t i = 0; i < MANY; i++)
		CHECK(map_get(map, name(i)) == &values[i]);
	CHECK(map_get(map, STR("k")) == NULL);
	CHECK(map_get(map, STR("k5000")) == NULL);
	CHECK(map_get(map, STR("k1\0")) == NULL);
	CHECK(map_get(map, STR("")) == NULL);
}

static void setting_again_replaces_and_answers_the_old_value(void **state)
{
	struct map *map = *state;

	CHECK(map_set(map, name(1), &values[1]) == NULL);
	CHECK(map_set(map, name(1), &values[2]) == &values[1]);
	CHECK(map_get(map, name(1)) == &values[2]);
	CHECK(map_count(map) == 1);
}

static void a_replaced_entry_lives_on_its_new_key(void **state)
{
	struct map *map = *state;
	char first[] = "same";
	char second[] = "same";

	CHECK(map_set(map, str_from_c(first), &values[1]) == NULL);
	CHECK(map_set(map, str_from_c(second), &values[2]) == &values[1]);
	first[0] = 'X';
	CHECK(map_get(map, STR("same")) == &values[2]);
}

static void removal_leaves_every_other_entry_within_reach(void **state)
{
	struct map *map = *state;

	for (size_t i = 0; i < MANY; i++)
		CHECK(map_set(map, name(i), &values[i]) == NULL);
	for (size_t i = 0; i < MANY; i += 3)
		CHECK(map_remove(map, name(i)) == &values[i]);
	for (size_t i = 0; i < MANY; i++)
		CHECK(map_get(map, name(i)) == (i % 3 == 0 ? NULL : &values[i]));
	CHECK(map_remove(map, name(0)) == NULL);
	CHECK(map_count(map) == MANY - (MANY + 2) / 3);
}

/* Runs that wrap around the end of the table are where shifting back goes wrong. */
static void removal_is_right_for_every_seed_in_a_nearly_full_table(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct map *map = map_new(seed);
		size_t gone = seed % 12;

		for (size_t i = 0; i < 12; i++)
			CHECK(map_set(map, name(i), &values[i]) == NULL);
		CHECK(map_remove(map, name(gone)) == &values[gone]);
		for (size_t i = 0; i < 12; i++)
			CHECK(map_get(map, name(i)) == (i == gone ? NULL : &values[i]));
		map_free(&map);
	}
}

static void an_empty_key_and_keys_with_zeros_are_keys(void **state)
{
	struct map *map = *state;

	CHECK(map_set(map, STR(""), &values[0]) == NULL);
	CHECK(map_set(map, STR("\0"), &values[1]) == NULL);
	CHECK(map_set(map, STR("\0\0"), &values[2]) == NULL);
	CHECK(map_set(map, STR("\0\0\0\0\0\0\0\0"), &values[3]) == NULL);
	CHECK(map_get(map, STR("")) == &values[0]);
	CHECK(map_get(map, STR("\0")) == &values[1]);
	CHECK(map_get(map, STR("\0\0")) == &values[2]);
	CHECK(map_get(map, STR("\0\0\0\0\0\0\0\0")) == &values[3]);
}

static void a_walk_meets_every_value_once(void **state)
{
	struct map *map = *state;
	size_t position = 0, met = 0;
	int *value;

	for (size_t i = 0; i < 100; i++) {
		values[i] = 0;
		CHECK(map_set(map, name(i), &values[i]) == NULL);
	}
	while ((value = map_next(map, &position)) != NULL) {
		CHECK(++*value == 1);
		met++;
	}
	CHECK(met == 100);
	CHECK(map_next(map, &position) == NULL);
}

static void the_seed_changes_the_order(void **state)
{
	struct map *other = map_new(43);
	size_t here = 0, there = 0, same = 0;

	for (size_t i = 0; i < 100; i++) {
		CHECK(map_set(*state, name(i), &values[i]) == NULL);
		CHECK(map_set(other, name(i), &values[i]) == NULL);
	}
	for (size_t i = 0; i < 100; i++)
		same += map_next(*state, &here) == map_next(other, &there);
	CHECK(same < 50);
	map_free(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	return RUN(TEST(what_was_set_is_found_and_nothing_else),
		   TEST(setting_again_replaces_and_answers_the_old_value),
		   TEST(a_replaced_entry_lives_on_its_new_key),
		   TEST(removal_leaves_every_other_entry_within_reach),
		   TEST(removal_is_right_for_every_seed_in_a_nearly_full_table),
		   TEST(an_empty_key_and_keys_with_zeros_are_keys),
		   TEST(a_walk_meets_every_value_once), TEST(the_seed_changes_the_order));
}
