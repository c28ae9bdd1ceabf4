/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted in memory, and what other nodes are told of it. */
#include "authority/throttle.h"

#include "world.h"

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

int main(void)
{
	return RUN(cmocka_unit_test(what_could_not_be_told_is_told_with_the_next),
		   cmocka_unit_test(what_comes_back_after_its_window_is_not_told_in_the_next));
}
