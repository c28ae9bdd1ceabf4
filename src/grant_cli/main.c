/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `grant`, the agent's command: a person's permission, kept and handed out as short-lived
 * tokens.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/task.h"
#include "grant_cli/say.h"
#include "grant_cli/wish.h"

static const struct verb *const verbs[] = { &verb_login,    &verb_token, &verb_curl,
					    &verb_exchange, &verb_list,	 &verb_logout };

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; name != NULL && i < COUNT_OF(verbs); i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	}
	return NULL;
}

static int print_usage(FILE *out)
{
	fputs("usage: grant VERB [OPTION …]\n\n", out);
	for (size_t i = 0; i < COUNT_OF(verbs); i++)
		fprintf(out, "  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	fputs("\nEvery verb has --help and --json. Exit: 0 done, 1 refused, 2 usage, 3 server not "
	      "reachable.\n",
	      out);
	return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

/*
 * Absolute or nothing: a relative XDG_DATA_HOME is to be ignored (XDG Base Directory
 * Specification).
 */
static struct str find_home(struct task *task)
{
	struct str own = str_from_c(getenv("GRANT_HOME"));
	struct str data = str_from_c(getenv("XDG_DATA_HOME"));
	struct str home = str_from_c(getenv("HOME"));

	if (!str_is_empty(own))
		return own;
	if (str_starts_with(data, STR("/")))
		return STR_JOIN(&task->arena, data, STR("/grant"));
	if (str_starts_with(home, STR("/")))
		return STR_JOIN(&task->arena, home, STR("/.local/share/grant"));
	return STR_NONE;
}

static enum err run(struct task *task, const struct verb *verb, char *const *words)
{
	struct wish wish = { .home = find_home(task), .environment = environ };
	struct str help = STR_NONE;

	TRY(wish_parse(task, verb, words, &wish));
	if (wish.help) {
		TRY(wish_help(task, verb, &help));
		return say_line(task, help);
	}
	if (wish.home.at == NULL)
		return fail(task, ERR_REQUEST,
			    "set GRANT_HOME or HOME: there is no place to keep "
			    "log-ins");
	return verb->run(task, &wish);
}

int main(int argc, char **argv)
{
	const struct verb *verb = find_verb(argc > 1 ? argv[1] : NULL);
	struct clock clock = { 0 };
	struct log log = { .fd = -1 };
	struct task task;
	int code;
	enum err err;

	cli_begin();
	if (verb == NULL && argc > 1 && strcmp(argv[1], "--help") == 0)
		return print_usage(stdout);
	if (verb == NULL && argc > 1 && strcmp(argv[1], "--version") == 0)
		return puts("grant " GRANTD_VERSION) == EOF ? EXIT_REFUSED : EXIT_DONE;
	if (verb == NULL)
		return print_usage(stderr);
	task_begin(&task, &clock, &log);
	err = run(&task, verb, argv + 2);
	code = err == OK ? EXIT_DONE : (int)cli_refuse(&task, "grant", err);
	task_end(&task);
	return code;
}
