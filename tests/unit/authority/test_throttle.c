/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted in memory, and what other nodes are told of it. */
#include "authority/throttle.h"

#include "crypto/base64.h"
#include "office.h"

#define KEY STR("mail-agent")

static uint32_t guess(struct task *task, struct throttle *throttle)
{
	uint32_t untold = 0;

	(void)throttle_count_shared(task, throttle, THROTTLE_CLIENT_SECRET, KEY, &untold);
	return untold;
}

static void open_all(struct world *world, struct throttle **ret_throttle)
{
	world_open(world);
	*ret_throttle = throttle_new(1);
}

static void close_all(struct world *world, struct throttle **throttle)
{
	throttle_free(throttle);
	world_close(world);
}

/* A writer that is full for a moment must not hide the guesses of that moment for good. */
static void what_could_not_be_told_is_told_with_the_next(void **state)
{
	struct world world;
	struct throttle *throttle;

	(void)state;
	open_all(&world, &throttle);
	CHECK(guess(world_task(&world), throttle) == 1);
	throttle_give_back(throttle, THROTTLE_CLIENT_SECRET, KEY, 1);
	CHECK(guess(world_task(&world), throttle) == 2);
	CHECK(guess(world_task(&world), throttle) == 1);
	close_all(&world, &throttle);
}

static void what_comes_back_after_its_window_is_not_told_in_the_next(void **state)
{
	struct world world;
	struct throttle *throttle;

	(void)state;
	open_all(&world, &throttle);
	CHECK(guess(world_task(&world), throttle) == 1);
	CHECK(guess(world_task(&world), throttle) == 1);
	world.clock.now += throttle_limit(THROTTLE_CLIENT_SECRET)->window_ms;
	CHECK(guess(world_task(&world), throttle) == 1);
	throttle_give_back(throttle, THROTTLE_CLIENT_SECRET, KEY, 2);
	CHECK(guess(world_task(&world), throttle) == 1);
	close_all(&world, &throttle);
}

/* The root key of the stranger is another one. */
static void a_counted_one_has_one_name_at_every_node_that_no_one_else_can_make(void **state)
{
	struct str address = STR("192.0.2.1"), other = STR("192.0.2.2"), plain, name;
	struct office office, stranger;
	struct authority node;
	struct arena arena = { 0 };

	(void)state;
	office_open(&office);
	office_open(&stranger);
	CHECK_ERR(authority_open(world_task(&office.world), &node, office.world.store, office.keys,
				 office.live),
		  OK);
	name = authority_alias(&office.authority, &arena, address);
	plain = base64url_encode(&arena, sha256_str(&arena, address));
	CHECK_STR(authority_alias(&node, &arena, address), name);
	CHECK(!str_equals(authority_alias(&office.authority, &arena, other), name));
	CHECK(!str_equals(authority_alias(&stranger.authority, &arena, address), name));
	CHECK(name.len == plain.len && !str_equals(name, plain));
	authority_close(&node);
	arena_free(&arena);
	office_close(&stranger);
	office_close(&office);
}

int main(void)
{
	return RUN(cmocka_unit_test(what_could_not_be_told_is_told_with_the_next),
		   cmocka_unit_test(what_comes_back_after_its_window_is_not_told_in_the_next),
		   cmocka_unit_test(
			   a_counted_one_has_one_name_at_every_node_that_no_one_else_can_make));
}
