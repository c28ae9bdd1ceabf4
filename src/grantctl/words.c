/* SPDX-License-Identifier: Apache-2.0 */
#include "config/members.h"
#include "grantctl/ctl.h"

static const struct {
	const char *name;
	bool has_value;
} options[OPTION_COUNT] = {
	[OPTION_EMAIL] = { "--email", true },
	[OPTION_PASSWORD_STDIN] = { "--password-stdin", false },
	[OPTION_ID] = { "--id", true },
	[OPTION_NAME] = { "--name", true },
	[OPTION_REDIRECT_URI] = { "--redirect-uri", true },
	[OPTION_PUBLIC] = { "--public", false },
	[OPTION_SECRET_STDIN] = { "--secret-stdin", false },
	[OPTION_GENERATE_SECRET] = { "--generate-secret", false },
	[OPTION_AUTH] = { "--auth", true },
	[OPTION_JWKS_FILE] = { "--jwks-file", true },
	[OPTION_JWKS_URI] = { "--jwks-uri", true },
	[OPTION_FILE] = { "--file", true },
	[OPTION_SIGNING_ALG] = { "--signing-alg", true },
	[OPTION_DPOP] = { "--dpop", true },
	[OPTION_PAR] = { "--par", true },
	[OPTION_RESOURCE] = { "--resource", true },
	[OPTION_SCOPE] = { "--scope", true },
	[OPTION_GRANT_TYPE] = { "--grant-type", true },
	[OPTION_DELEGATES_TO] = { "--delegates-to", true },
	[OPTION_USER] = { "--user", true },
	[OPTION_CLIENT] = { "--client", true },
	[OPTION_GRANT] = { "--grant", true },
	[OPTION_LIMIT] = { "--limit", true },
	[OPTION_TEXT] = { "--text", false },
	[OPTION_FORCE] = { "--force", false },
	[OPTION_PURPOSE] = { "--purpose", true },
	[OPTION_AT_ONCE] = { "--at-once", false },
	[OPTION_COMPROMISED] = { "--compromised", false },
	[OPTION_FOR] = { "--for", true },
	[OPTION_USES] = { "--uses", true },
	[OPTION_EXPIRES] = { "--expires", true },
	[OPTION_REFRESH] = { "--refresh", true },
	[OPTION_CA] = { "--ca", true },
	[OPTION_LIST] = { "--list", false },
	[OPTION_ALL] = { "--all", false },
};

/* argv as it is read: the word at hand, and the value that stood behind '=' in it. */
struct cursor {
	struct task *task;
	char *const *argv;
	struct str name;
	struct str value; /* STR_NONE: none behind '=' */
};

static void take_word(struct cursor *cursor)
{
	struct str word = str_from_c(*cursor->argv++);
	size_t equals = str_find(word, '=');

	cursor->name = str_sub(word, 0, equals);
	cursor->value = equals == word.len ? STR_NONE : str_from(word, equals + 1);
}

static enum err take_value(struct cursor *cursor, struct str *ret_value)
{
	if (cursor->value.at == NULL && *cursor->argv != NULL)
		cursor->value = str_from_c(*cursor->argv++);
	if (cursor->value.at == NULL)
		return failf(cursor->task, ERR_REQUEST, "%.*s needs a value",
			     STR_FMT(cursor->name));
	if (!str_is_text(cursor->value))
		return failf(cursor->task, ERR_REQUEST, "%.*s: is not UTF-8 text",
			     STR_FMT(cursor->name));
	*ret_value = cursor->value;
	return OK;
}

static enum err add_to_list(struct cursor *cursor, struct str *list, size_t *count)
{
	if (*count == LIST_OPTION_MAX)
		return failf(cursor->task, ERR_REQUEST, "%.*s: too many", STR_FMT(cursor->name));
	TRY(take_value(cursor, &list[*count]));
	(*count)++;
	return OK;
}

static enum err take_option(struct cursor *cursor, enum option option, struct words *words)
{
	if (option == OPTION_REDIRECT_URI)
		return add_to_list(cursor, words->redirect_uris, &words->redirect_uri_count);
	if (option == OPTION_GRANT_TYPE)
		return add_to_list(cursor, words->grant_types, &words->grant_type_count);
	if (option == OPTION_DELEGATES_TO)
		return add_to_list(cursor, words->delegates, &words->delegate_count);
	if (words->is_given[option])
		return failf(cursor->task, ERR_REQUEST, "%.*s is there twice",
			     STR_FMT(cursor->name));
	words->is_given[option] = true;
	if (options[option].has_value)
		return take_value(cursor, &words->values[option]);
	if (cursor->value.at != NULL)
		return failf(cursor->task, ERR_REQUEST, "%.*s takes no value",
			     STR_FMT(cursor->name));
	return OK;
}

static enum err refuse_option(struct cursor *cursor, const struct verb *verb)
{
	const char *names[OPTION_COUNT + 2] = { "--json", "--help" };
	size_t count = 2;
	struct str hint;

	/* what stands in argv can be read by everybody on the machine (CWE-214) */
	if (str_equals(cursor->name, STR("--password")) ||
	    str_equals(cursor->name, STR("--secret")))
		return failf(
			cursor->task, ERR_REQUEST,
			"a secret on the command line can be read by every user of this machine; "
			"use %.*s-stdin",
			STR_FMT(cursor->name));
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (verb->options & BIT(i))
			names[count++] = options[i].name;
	hint = suggest(cursor->task, cursor->name, names, count);
	return failf(cursor->task, ERR_REQUEST, "no option is called %.*s here%.*s; see --help",
		     STR_FMT(cursor->name), STR_FMT(hint));
}

static enum err take_known(struct cursor *cursor, const struct verb *verb, struct words *words)
{
	for (enum option option = 0; option < OPTION_COUNT; option++)
		if (str_equals(cursor->name, str_from_c(options[option].name)) &&
		    (verb->options & BIT(option)))
			return take_option(cursor, option, words);
	return refuse_option(cursor, verb);
}

static enum err take_common(struct cursor *cursor, struct words *words, bool *ret_taken)
{
	*ret_taken = true;
	if (str_equals(cursor->name, STR("--json"))) {
		words->is_json = true;
	} else if (str_equals(cursor->name, STR("--help"))) {
		words->wants_help = true;
	} else if (str_equals(cursor->name, STR("--socket"))) {
		return take_value(cursor, &words->socket);
	} else if (str_equals(cursor->name, STR("--dir"))) {
		return take_value(cursor, &words->dir);
	} else {
		*ret_taken = false;
	}
	return OK;
}

static enum err take_argument(struct cursor *cursor, const struct verb *verb, size_t index,
			      struct words *words)
{
	size_t own = verb->name == NULL ? 1 : 2; /* the noun, the verb */
	struct str word = str_from_c(cursor->argv[-1]);

	if (index < own)
		return OK;
	if (index > own || verb->argument == NULL)
		return failf(cursor->task, ERR_REQUEST, "\"%.*s\" is one word too many; see --help",
			     STR_FMT(word));
	if (word.len == 0 || !str_is_text(word))
		return failf(cursor->task, ERR_REQUEST, "%s is empty or not UTF-8 text",
			     verb->argument);
	words->argument = word;
	return OK;
}

enum err words_parse(struct task *task, const struct verb *verb, char *const *argv,
		     struct words *ret_words)
{
	struct cursor cursor = { .task = task, .argv = argv };
	size_t index = 0;
	bool is_taken;

	while (*cursor.argv != NULL) {
		take_word(&cursor);
		if (!str_starts_with(cursor.name, STR("-"))) {
			TRY(take_argument(&cursor, verb, index++, ret_words));
			continue;
		}
		TRY(take_common(&cursor, ret_words, &is_taken));
		if (!is_taken)
			TRY(take_known(&cursor, verb, ret_words));
	}
	if (ret_words->wants_help)
		return OK;
	if (verb->argument != NULL && verb->argument[0] != '[' && ret_words->argument.at == NULL)
		return failf(task, ERR_REQUEST, "%s is missing; see --help", verb->argument);
	if (ret_words->socket.at == NULL && ret_words->dir.at != NULL)
		ret_words->socket = STR_JOIN(&task->arena, ret_words->dir, STR("/admin.sock"));
	if (ret_words->socket.at == NULL)
		return fail(task, ERR_REQUEST, "say which installation: --dir DIR");
	return OK;
}
