/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts through an installation, and which of them a person gets to see, on both databases. */
#include "both.h"
#include "model/delegation.h"
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

/* That one exchanged so many minutes after now, for a token that ends then and is named so. */
static struct derivation row_of(struct str path, struct str jti, int64_t minute, int64_t ends_at)
{
	return (struct derivation){
		.key = { alice_family.user_id, alice_family.id, path_before(path), jti },
		.path = path,
		.wish_hash = STR("hash"),
		.issued_at = CHECK_NOW + minute * MINUTE_MS,
		.expires_at = ends_at,
		.over_at = ends_at,
	};
}

static void exchange(struct world *world, struct str path, int64_t minute, int64_t ends_at)
{
	struct derivation row = row_of(path, path, minute, ends_at);

	CHECK_ERR(world_write(world, insert, &row), OK);
}

static struct derivation_look look(struct world *world, struct str path, int64_t now)
{
	struct derivation row = row_of(path, STR("another"), 0, now + 1);
	struct derivation_look look = { 0 };

	CHECK_ERR(derivation_look(world_task(world), world_reader(world), &row, now, &look), OK);
	return look;
}

static bool is_stopped(struct world *world, struct str path)
{
	bool is_stopped = false;

	CHECK_ERR(sub_agent_is_stopped(world_task(world), world_reader(world), alice_family.user_id,
				       alice_family.id, path, &is_stopped),
		  OK);
	CHECK(look(world, path, CHECK_NOW).is_stopped == is_stopped);
	return is_stopped;
}

static void the_tokens_of_one_parent_that_are_not_over_are_counted(void **state)
{
	struct world *world = *state;
	struct derivation_look none, some, below;

	nouns_insert(world);
	none = look(world, STR("agent#a"), CHECK_NOW);
	CHECK(none.live == 0 && none.first_end == 0 && !none.is_stopped);
	exchange(world, STR("agent#a"), 0, CHECK_NOW + 7);
	exchange(world, STR("agent#b"), 0, CHECK_NOW + 5);
	exchange(world, STR("agent#over"), 0, CHECK_NOW);
	exchange(world, STR("agent#a agent#c"), 0, CHECK_NOW + 3);
	some = look(world, STR("agent#new"), CHECK_NOW);
	CHECK(some.live == 2 && some.first_end == CHECK_NOW + 5);
	below = look(world, STR("agent#a agent#new"), CHECK_NOW);
	CHECK(below.live == 1 && below.first_end == CHECK_NOW + 3);
	CHECK(look(world, STR("agent#b agent#new"), CHECK_NOW).live == 0);
}

static void a_subject_token_becomes_one_token(void **state)
{
	struct world *world = *state;
	struct derivation row = row_of(STR("agent#a"), STR("jti"), 0, CHECK_NOW + 5), found;
	struct derivation_key elsewhere = row.key;

	nouns_insert(world);
	CHECK_ERR(world_write(world, insert, &row), OK);
	row.path = STR("agent#b");
	CHECK_ERR(world_write(world, insert, &row), ERR_CONFLICT);
	CHECK_ERR(derivation_find(world_task(world), world_reader(world), &row.key, &found), OK);
	CHECK_STR(found.path, STR("agent#a"));
	CHECK_STR(found.key.jti, STR("jti"));
	elsewhere.parent = STR("agent#a");
	CHECK_ERR(derivation_find(world_task(world), world_reader(world), &elsewhere, &found),
		  ERR_NOT_FOUND);
}

static void who_is_stopped_stops_those_that_act_through_it_and_nobody_else(void **state)
{
	struct world *world = *state;
	struct stopping stopping = { "agent#a agent#b", CHECK_NOW };

	nouns_insert(world);
	exchange(world, STR("agent#a"), 0, CHECK_NOW + 5);
	exchange(world, STR("agent#a agent#b"), 0, CHECK_NOW + 5);
	CHECK(!is_stopped(world, STR("agent#a agent#b")));
	CHECK_ERR(world_write(world, set_stopped, &stopping), OK);
	CHECK(is_stopped(world, STR("agent#a agent#b")));
	CHECK(is_stopped(world, STR("agent#a agent#b agent#c agent#d")));
	CHECK(!is_stopped(world, STR("agent#a")));
	CHECK(!is_stopped(world, STR("agent#a agent#bc")));
	CHECK(!is_stopped(world, STR("agent#b")));
	CHECK(!is_stopped(world, STR("")));
	stopping.path = "";
	CHECK_ERR(world_write(world, set_stopped, &stopping), OK);
	CHECK(is_stopped(world, STR("")) && is_stopped(world, STR("agent#b")));
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
		cmocka_unit_test(the_tokens_of_one_parent_that_are_not_over_are_counted),
		cmocka_unit_test(a_subject_token_becomes_one_token),
		cmocka_unit_test(who_is_stopped_stops_those_that_act_through_it_and_nobody_else),
		cmocka_unit_test(the_stopped_and_those_that_act_are_seen_before_all_that_did),
		cmocka_unit_test(all_of_them_are_in_the_list_while_they_are_stopped));
}
