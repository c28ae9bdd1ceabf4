/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts through an installation, and which of them a person gets to see, on both databases. */
#include "both.h"
#include "nouns.h"
#include "store/derivations.h"

struct stopping {
	const char *path;
	int64_t at;
};

static enum err insert(struct task *task, struct db *db, void *arg)
{
	return derivation_insert(task, db, arg);
}

static enum err set_stopped(struct task *task, struct db *db, void *arg)
{
	const struct stopping *stopping = arg;

	return sub_agent_set_stopped(task, db, &alice_family, str_from_c(stopping->path),
				     stopping->at, CHECK_NOW);
}

/* That one exchanged so many minutes after now, for a token that ends then. */
static void exchange(struct world *world, struct str path, int64_t minute, int64_t ends_at)
{
	struct derivation row = {
		.user_id = alice_family.user_id,
		.subject_jti = path,
		.jti = STR_JOIN(&world->home.task.arena, STR("of "), path),
		.family_id = alice_family.id,
		.parent = STR(""),
		.path = path,
		.wish_hash = STR("hash"),
		.issued_at = CHECK_NOW + minute * MINUTE_MS,
		.expires_at = ends_at,
		.over_at = ends_at,
	};

	CHECK_ERR(world_write(world, insert, &row), OK);
}

static size_t list(struct world *world, int64_t now, struct sub_agent **ret_agents)
{
	size_t count = 0;

	CHECK_ERR(sub_agent_list(world_task(world), world_reader(world), &alice_family, now,
				 ret_agents, &count),
		  OK);
	return count;
}

static void the_stopped_and_those_that_act_are_seen_before_all_that_did(void **state)
{
	struct world *world = *state;
	struct stopping stopping = { "agent#stopped", CHECK_NOW };
	struct sub_agent *agents = NULL;
	int64_t now = CHECK_NOW + DAY_MS;

	nouns_insert(world);
	exchange(world, STR("agent#stopped"), 0, CHECK_NOW);
	exchange(world, STR("agent#acts"), 1, now + 1);
	CHECK_ERR(world_write(world, set_stopped, &stopping), OK);
	CHECK(list(world, now, &agents) == 2);
	for (int i = 0; i < SUB_AGENTS_MAX; i++)
		exchange(world, str_printf(&world->home.task.arena, "agent#n%d", i), 2 + i, now);
	CHECK(list(world, now, &agents) == SUB_AGENTS_MAX + 1);
	CHECK_STR(agents[0].path, STR("agent#stopped"));
	CHECK_STR(agents[1].path, STR("agent#acts"));
	CHECK_STR(agents[2].path, STR("agent#n199"));
	CHECK_STR(agents[SUB_AGENTS_MAX].path, STR("agent#n1"));
}

static void all_of_them_are_in_the_list_while_they_are_stopped(void **state)
{
	struct world *world = *state;
	struct stopping stopping = { "", CHECK_NOW };
	struct sub_agent *agents = NULL;

	nouns_insert(world);
	CHECK(list(world, CHECK_NOW, &agents) == 0);
	CHECK_ERR(world_write(world, set_stopped, &stopping), OK);
	CHECK(list(world, CHECK_NOW, &agents) == 1);
	CHECK(str_is_empty(agents[0].path) && agents[0].stopped_at == CHECK_NOW);
	stopping.at = 0;
	CHECK_ERR(world_write(world, set_stopped, &stopping), OK);
	CHECK(list(world, CHECK_NOW, &agents) == 0);
}

int main(void)
{
	return RUN_ON_BOTH(
		cmocka_unit_test(the_stopped_and_those_that_act_are_seen_before_all_that_did),
		cmocka_unit_test(all_of_them_are_in_the_list_while_they_are_stopped));
}
