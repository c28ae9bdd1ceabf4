/* SPDX-License-Identifier: Apache-2.0 */
/* Who acts through whom, how it is spelled, and each refusal of the rule of derivation. */
#include "one_task.h"

#include "model/delegation.h"

static struct act act_of(const char *path)
{
	struct act act;

	CHECK_ERR(act_parse(&task, str_from_c(path), &act), OK);
	return act;
}

static void a_chain_reads_as_it_was_written(void **state)
{
	static const char *const paths[] = { "", "agent#a", "agent#a other",
					     "agent#a agent#b c d" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct buf buf = buf_in(&task.arena, 1024);
		struct json_writer json = json_write_to(&buf);
		CLEANUP(json_unref) json_t *value = NULL;
		struct act act = act_of(paths[i]), back;
		struct str text;

		CHECK_STR(act_text(&task.arena, &act), str_from_c(paths[i]));
		json_open_object(&json);
		act_write(&json, &task.arena, &act);
		json_close(&json);
		CHECK_ERR(buf_finish(&buf, &text), OK);
		CHECK_ERR(json_parse(&task, text, 1024, &value), OK);
		CHECK_ERR(act_read(&task, json_object_get(value, "act"), &back), OK);
		CHECK_STR(act_text(&task.arena, &back), str_from_c(paths[i]));
	}
}

static void a_path_says_through_whom_its_last_one_acts(void **state)
{
	(void)state;
	CHECK_STR(path_before(STR("")), STR(""));
	CHECK_STR(path_before(STR("agent#a")), STR(""));
	CHECK_STR(path_before(STR("agent#a other")), STR("agent#a"));
	CHECK_STR(path_before(STR("agent#a agent#b c d")), STR("agent#a agent#b c"));
}

static void the_one_who_acts_now_is_the_outermost_and_has_the_token(void **state)
{
	struct buf buf = buf_in(&task.arena, 1024);
	struct json_writer json = json_write_to(&buf);
	struct act act = act_of("agent#a other"), nobody = act_of(""), part = act_of("agent#a");
	struct str text;

	(void)state;
	json_open_object(&json);
	act_write(&json, &task.arena, &act);
	json_close(&json);
	CHECK_ERR(buf_finish(&buf, &text), OK);
	CHECK_STR(text, STR("{\"act\":{\"sub\":\"other\",\"act\":{\"sub\":\"agent#a\"}}}"));
	CHECK_STR(act_client(&act, STR("agent")), STR("other"));
	CHECK_STR(act_client(&part, STR("agent")), STR("agent"));
	CHECK_STR(act_client(&nobody, STR("agent")), STR("agent"));
}

static void a_chain_that_is_not_ours_is_refused(void **state)
{
	static const char *const paths[] = { "a b c d e", "#a",	   "a#",    "a#b c#",
					     "a  b",	  "a#b#c", "a#b/c", " a" };
	static const char *const claims[] = {
		"{}",
		"{\"sub\":7}",
		"\"agent\"",
		("{\"sub\":\"a\",\"act\":{\"sub\":\"b\",\"act\":{\"sub\":\"c\","
		 "\"act\":{\"sub\":\"d\",\"act\":{\"sub\":\"e\"}}}}}"),
		"{\"sub\":\"a\",\"act\":null}",
	};
	struct act act;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++)
		CHECK_ERR(act_parse(&task, str_from_c(paths[i]), &act), ERR_TOKEN);
	for (size_t i = 0; i < COUNT_OF(claims); i++) {
		CLEANUP(json_unref) json_t *value = NULL;
		struct str text = STR_JOIN(&task.arena, STR("{\"act\":"), str_from_c(claims[i]),
					   STR("}"));

		CHECK_ERR(json_parse(&task, text, 1024, &value), OK);
		CHECK_ERR(act_read(&task, json_object_get(value, "act"), &act), ERR_TOKEN);
	}
}

static const struct str read_name[] = { STR_INIT("read") };
static const struct str other_name[] = { STR_INIT("other") };
static const struct str both_names[] = { STR_INIT("read"), STR_INIT("send") };

/* A good exchange by another client; each test spoils one thing. */
struct scene {
	struct client from, to;
	struct derivation_parent parent;
	struct derivation_wish wish;
};

static void set_scene(struct scene *scene)
{
	*scene = (struct scene){
		.from = { .id = STR("agent"), .delegates_to = { other_name, 1 } },
		.to = { .id = STR("other"), .auth = CLIENT_AUTH_BASIC },
		.parent = { .scope = { read_name, 1 },
			    .resource = STR("https://r"),
			    .expires_at = 100,
			    .delegates = { other_name, 1 } },
		.wish = { .resource = STR("https://r"), .expires_at = 200 },
	};
	scene->parent.client = &scene->from;
	scene->wish.client = &scene->to;
}

static enum err derive_scene(const struct scene *scene, struct derived *ret_derived)
{
	return derive(&task, &scene->parent, &scene->wish, ret_derived);
}

static void who_was_named_by_operator_and_person_acts_for_no_longer_than_the_parent(void **state)
{
	struct derived derived;
	struct scene scene;

	(void)state;
	set_scene(&scene);
	CHECK_ERR(derive_scene(&scene, &derived), OK);
	CHECK(derived.expires_at == 100 && derived.act.depth == 1);
	CHECK_STR(act_text(&task.arena, &derived.act), STR("other"));
	CHECK(scope_has(derived.scope, STR("read")));
	scene.wish.expires_at = 50;
	CHECK_ERR(derive_scene(&scene, &derived), OK);
	CHECK(derived.expires_at == 50);
}

static void who_was_not_named_by_both_or_cannot_prove_who_it_is_does_not_act(void **state)
{
	struct derived derived;
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.from.delegates_to.count = 0;
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
	set_scene(&scene);
	scene.parent.delegates.count = 0;
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
	set_scene(&scene);
	scene.to.auth = CLIENT_AUTH_NONE;
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
	set_scene(&scene);
	scene.wish.label = STR("part");
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
}

static void a_part_of_a_client_needs_a_name_and_nobodys_leave(void **state)
{
	struct derived derived;
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.wish.client = &scene.from;
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
	scene.wish.label = STR("re search");
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
	scene.wish.label = STR("research");
	CHECK_ERR(derive_scene(&scene, &derived), OK);
	CHECK_STR(act_text(&task.arena, &derived.act), STR("agent#research"));
}

static void what_is_wider_elsewhere_or_too_deep_is_refused(void **state)
{
	struct derived derived;
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.wish.scope = (struct scope_set){ both_names, 2 };
	CHECK_ERR(derive_scene(&scene, &derived), ERR_SCOPE);
	set_scene(&scene);
	scene.wish.resource = STR("https://other");
	CHECK_ERR(derive_scene(&scene, &derived), ERR_TARGET);
	set_scene(&scene);
	scene.parent.act = act_of("agent#a agent#b agent#c");
	CHECK_ERR(derive_scene(&scene, &derived), OK);
	scene.parent.act = act_of("agent#a agent#b agent#c agent#d");
	CHECK_ERR(derive_scene(&scene, &derived), ERR_REQUEST);
}

static void what_is_bound_to_a_key_is_handed_on_with_its_proof_only_and_stays_bound(void **state)
{
	struct derived derived;
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.parent.jkt = STR("the-key");
	CHECK_ERR(derive_scene(&scene, &derived), ERR_DPOP);
	scene.wish.jkt = STR("another");
	CHECK_ERR(derive_scene(&scene, &derived), ERR_DPOP);
	scene.wish.jkt = STR("the-key");
	CHECK_ERR(derive_scene(&scene, &derived), OK);
	CHECK_STR(derived.jkt, STR("the-key"));
	set_scene(&scene);
	scene.wish.jkt = STR("the-key");
	CHECK_ERR(derive_scene(&scene, &derived), OK);
	CHECK_STR(derived.jkt, STR("the-key"));
}

static void it_falls_with_whatever_held_it(void **state)
{
	struct client root = { .id = STR("agent"),
			       .grant_types = GRANT_TOKEN_EXCHANGE,
			       .delegates_to = { other_name, 1 } };
	struct client other = { .id = STR("other"), .grant_types = GRANT_TOKEN_EXCHANGE };
	const struct scope_set named = { other_name, 1 };
	struct delegation good = { .act = act_of("agent#a other"), .clients = { root, other } };
	struct delegation bad = good;

	(void)state;
	CHECK_STR(delegation_dead_reason(&good, &root, named, 10), STR(""));
	CHECK_STR(delegation_dead_reason(&good, &root, (struct scope_set){ 0 }, 10),
		  STR("not_delegated"));
	bad.is_stopped = true;
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("sub_agent_stopped"));
	bad = good;
	bad.is_revoked = true;
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("revoked_by_client"));
	bad = good;
	bad.clients[1].status = CLIENT_DISABLED;
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("client_disabled"));
	bad = good;
	bad.clients[1].not_before = 10;
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("client_disabled"));
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 11), STR(""));
	bad = good;
	bad.clients[1].grant_types = GRANT_REFRESH_TOKEN;
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("client_disabled"));
	bad = good;
	bad.clients[0].delegates_to.count = 0;
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("not_delegated"));
	bad = good;
	bad.clients[1].id = STR_NONE; /* gone from the database */
	CHECK_STR(delegation_dead_reason(&bad, &root, named, 10), STR("not_delegated"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_reads_as_it_was_written),
		cmocka_unit_test(a_path_says_through_whom_its_last_one_acts),
		cmocka_unit_test(the_one_who_acts_now_is_the_outermost_and_has_the_token),
		cmocka_unit_test(a_chain_that_is_not_ours_is_refused),
		cmocka_unit_test(
			who_was_named_by_operator_and_person_acts_for_no_longer_than_the_parent),
		cmocka_unit_test(who_was_not_named_by_both_or_cannot_prove_who_it_is_does_not_act),
		cmocka_unit_test(a_part_of_a_client_needs_a_name_and_nobodys_leave),
		cmocka_unit_test(what_is_wider_elsewhere_or_too_deep_is_refused),
		cmocka_unit_test(
			what_is_bound_to_a_key_is_handed_on_with_its_proof_only_and_stays_bound),
		cmocka_unit_test(it_falls_with_whatever_held_it),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}
