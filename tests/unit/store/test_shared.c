/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nodes have in common: counts of guesses, leases, the list of who is there; on both
 * databases.
 */
#include "both.h"
#include "nouns.h"
#include "store/leases.h"
#include "store/nodes.h"
#include "store/throttle_rows.h"

/* Two more of one key at a time, in a window of a minute. */
static enum err guess_twice(struct task *task, struct db *db, void *arg)
{
	struct throttle_row *row = arg;

	row->ends_at = row->ends_at + MINUTE_MS;
	return throttle_row_add(task, db, row, 2, row->ends_at - MINUTE_MS);
}

static enum err sweep_guesses(struct task *task, struct db *db, void *arg)
{
	int64_t *deleted = arg;

	return throttle_row_sweep(task, db, CHECK_NOW + 2 * MINUTE_MS + 1, 10, deleted);
}

static void guesses_of_all_nodes_add_up_until_their_window_ends(void **state)
{
	struct world *world = *state;
	struct throttle_row row = { .name = STR("guess:a"), .ends_at = CHECK_NOW };
	int64_t deleted = 0;

	CHECK_ERR(world_write(world, guess_twice, &row), OK);
	CHECK(row.used == 2 && row.ends_at == CHECK_NOW + MINUTE_MS);
	/* the window began with the first, whenever the others came */
	row.ends_at = CHECK_NOW + MINUTE_MS - 1;
	CHECK_ERR(world_write(world, guess_twice, &row), OK);
	CHECK(row.used == 4 && row.ends_at == CHECK_NOW + MINUTE_MS);
	CHECK_ERR(world_write(world, guess_twice, &row), OK);
	CHECK(row.used == 2 && row.ends_at == CHECK_NOW + 2 * MINUTE_MS);
	CHECK_ERR(world_write(world, sweep_guesses, &deleted), OK);
	CHECK(deleted == 1);
	row.ends_at = CHECK_NOW;
	CHECK_ERR(world_write(world, guess_twice, &row), OK);
	CHECK(row.used == 2);
}

static enum err take_now(struct task *task, struct db *db, void *arg)
{
	return lease_take(task, db, arg, CHECK_NOW);
}

static enum err take_later(struct task *task, struct db *db, void *arg)
{
	return lease_take(task, db, arg, CHECK_NOW + MINUTE_MS);
}

static void a_lease_has_one_holder_until_its_end_and_its_fence_changes_with_hands(void **state)
{
	struct world *world = *state;
	struct lease a = { STR("sweep"), STR("job_a"), CHECK_NOW + MINUTE_MS, 0 };
	struct lease b = { STR("sweep"), STR("job_b"), CHECK_NOW + 2 * MINUTE_MS, 0 };
	struct lease other = { STR("other"), STR("job_b"), CHECK_NOW + MINUTE_MS, 0 };

	CHECK_ERR(world_write(world, take_now, &a), OK);
	CHECK_ERR(world_write(world, take_now, &b), ERR_NOT_FOUND);
	CHECK_ERR(world_write(world, take_now, &other), OK);
	CHECK_ERR(world_write(world, take_now, &a), OK);
	CHECK(a.fence == 1 && other.fence == 1);
	CHECK_ERR(world_write(world, take_later, &b), OK);
	CHECK(b.fence == 2);
	CHECK_ERR(world_write(world, take_later, &a), ERR_NOT_FOUND);
}

static enum err put_node(struct task *task, struct db *db, void *arg)
{
	return node_put(task, db, arg);
}

static enum err delete_node(struct task *task, struct db *db, void *arg)
{
	return node_delete(task, db, *(const struct str *)arg);
}

static enum err sweep_nodes(struct task *task, struct db *db, void *arg)
{
	(void)arg;
	return node_sweep(task, db, CHECK_NOW);
}

static size_t list_nodes_since(struct world *world, int64_t since, struct node **ret_nodes)
{
	size_t count = 0;

	CHECK_ERR(node_list(world_task(world), world_reader(world), since, ret_nodes, &count), OK);
	return count;
}

static size_t list_nodes(struct world *world, struct node **ret_nodes)
{
	return list_nodes_since(world, 0, ret_nodes);
}

static void a_node_is_listed_as_it_last_said_until_it_leaves_or_is_long_gone(void **state)
{
	struct world *world = *state;
	struct node a = { .id = STR("nod_a"),
			  .name = STR("one 127.0.0.1:1"),
			  .version = STR("1"),
			  .settings = STR("s"),
			  .resources = STR("r"),
			  .root_keys = STR("1 a\n"),
			  .started_at = CHECK_NOW - 2,
			  .seen_at = CHECK_NOW - 1,
			  .clock_at = CHECK_NOW - 9 };
	struct node b = a, *nodes = NULL;

	b.id = STR("nod_b");
	CHECK_ERR(world_write(world, put_node, &a), OK);
	CHECK_ERR(world_write(world, put_node, &b), OK);
	b.resources = STR("other");
	b.seen_at = CHECK_NOW;
	b.clock_at = CHECK_NOW - 8;
	CHECK_ERR(world_write(world, put_node, &b), OK);
	CHECK(list_nodes(world, &nodes) == 2);
	CHECK_STR(nodes[0].id, a.id);
	CHECK_STR(nodes[1].resources, STR("other"));
	CHECK(nodes[1].seen_at == CHECK_NOW && nodes[1].started_at == CHECK_NOW - 2);
	CHECK(nodes[0].clock_at == CHECK_NOW - 9 && nodes[1].clock_at == CHECK_NOW - 8);
	CHECK(list_nodes_since(world, CHECK_NOW, &nodes) == 1);
	CHECK_STR(nodes[0].id, b.id);
	CHECK(list_nodes_since(world, CHECK_NOW + 1, &nodes) == 0);
	CHECK_ERR(world_write(world, sweep_nodes, NULL), OK);
	CHECK(list_nodes(world, &nodes) == 1);
	CHECK_ERR(world_write(world, delete_node, &b.id), OK);
	CHECK(list_nodes(world, &nodes) == 0);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(guesses_of_all_nodes_add_up_until_their_window_ends),
		cmocka_unit_test(
			a_lease_has_one_holder_until_its_end_and_its_fence_changes_with_hands),
		cmocka_unit_test(a_node_is_listed_as_it_last_said_until_it_leaves_or_is_long_gone));
}
