/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

#include "grant_cli/wish.h"

struct world {
	struct check_clock clock;
	struct log log;
	struct task task;
	struct wish wish;
};

static enum err parse(struct world *world, const struct verb *verb, const char *const *words)
{
	char *copy[8] = { NULL };

	memset(world, 0, sizeof(*world));
	check_clock_start(&world->clock);
	world->log.fd = -1;
	task_begin(&world->task, &world->clock.clock, &world->log);
	for (size_t i = 0; words[i] != NULL; i++) {
		copy[i] = arena_alloc(&world->task.arena, strlen(words[i]) + 1);
		memcpy(copy[i], words[i], strlen(words[i]));
	}
	return wish_parse(&world->task, verb, copy, &world->wish);
}

static void options_come_with_a_space_or_an_equals_sign(void **state)
{
	static const char *const words[] = { "--issuer", "https://a", "--client=b", "--no-browser",
					     "--scope",	 "x y",	      NULL };
	struct world world;

	(void)state;
	CHECK_ERR(parse(&world, &verb_login, words), OK);
	CHECK_STR(world.wish.issuer, STR("https://a"));
	CHECK_STR(world.wish.client, STR("b"));
	CHECK_STR(world.wish.scope, STR("x y"));
	CHECK(world.wish.no_browser && !world.wish.json && world.wish.ca_file.at == NULL);
	task_end(&world.task);
}

static void words_that_make_no_sense_are_refused(void **state)
{
	static const char *const wrong[][3] = {
		{ "--nope" },	  { "--resource" }, { "--resource", "" }, { "--resource=" },
		{ "--json=yes" }, { "mail" },	    { "--issuer", "x" },  { "--resource", "\xff" },
		{ "" },		  { "=" },
	};
	struct world world;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK_ERR(parse(&world, &verb_token, wrong[i]), ERR_REQUEST);
		task_end(&world.task);
	}
}

static void each_verb_tells_its_options(void **state)
{
	static const struct verb *const verbs[] = { &verb_login, &verb_token, &verb_curl,
						    &verb_list, &verb_logout };
	static const char *const none[] = { NULL };
	struct world world;
	struct str text;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(verbs); i++) {
		CHECK_ERR(parse(&world, verbs[i], none), OK);
		CHECK_ERR(wish_help(&world.task, verbs[i], &text), OK);
		CHECK(strstr(text.at, "--json") != NULL && strstr(text.at, "--help") != NULL);
		task_end(&world.task);
	}
}

int main(void)
{
	return RUN(cmocka_unit_test(options_come_with_a_space_or_an_equals_sign),
		   cmocka_unit_test(words_that_make_no_sense_are_refused),
		   cmocka_unit_test(each_verb_tells_its_options));
}
