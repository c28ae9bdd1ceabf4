/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/wish.h"

#include "base/buf.h"
#include "base/task.h"

#define HELP_MAX     4096
#define HELP_COLUMNS 26

/* The option a word names, and its value if the word carries one behind '='. */
static const struct wish_option *find_option(const struct verb *verb, struct str word,
					     struct str *ret_value)
{
	size_t name_len = str_find(word, '=');

	for (const struct wish_option *option = verb->options; option->name != NULL; option++) {
		if (!str_equals(str_sub(word, 0, name_len), str_from_c(option->name)))
			continue;
		*ret_value = name_len < word.len ? str_from(word, name_len + 1) : STR_NONE;
		return option;
	}
	return NULL;
}

static enum err take_option(struct task *task, const struct wish_option *option, struct str value,
			    struct wish *wish)
{
	char *member = (char *)wish + option->offset;

	if (option->value == NULL) {
		if (value.at != NULL)
			return failf(task, ERR_REQUEST, "%s takes no value", option->name);
		*(bool *)member = true;
		return OK;
	}
	if (str_is_empty(value) || !str_is_text(value))
		return failf(task, ERR_REQUEST, "%s needs a value: %s", option->name,
			     option->value);
	*(struct str *)(void *)member = value;
	return OK;
}

enum err wish_parse(struct task *task, const struct verb *verb, char *const *words,
		    struct wish *wish)
{
	for (; *words != NULL; words++) {
		struct str word = str_from_c(*words), value;
		const struct wish_option *option = find_option(verb, word, &value);

		if (option == NULL && verb->argument != NULL && wish->url.at == NULL &&
		    !str_starts_with(word, STR("-"))) {
			wish->url = word;
			continue;
		}
		if (option == NULL)
			return failf(task, ERR_REQUEST,
				     "grant %s does not know \"%.*s\" (see grant %s --help)",
				     verb->name, STR_FMT(word), verb->name);
		if (option->value != NULL && value.at == NULL && words[1] != NULL)
			value = str_from_c(*++words);
		TRY(take_option(task, option, value, wish));
	}
	return OK;
}

enum err wish_help(struct task *task, const struct verb *verb, struct str *ret_text)
{
	struct buf text = buf_in(&task->arena, HELP_MAX);

	buf_add(&text, str_printf(&task->arena, "grant %s%s%s: %s\n\n", verb->name,
				  verb->argument == NULL ? "" : " ",
				  verb->argument == NULL ? "" : verb->argument, verb->summary));
	for (const struct wish_option *option = verb->options; option->name != NULL; option++) {
		struct str head = str_printf(&task->arena, "  %s %s", option->name,
					     option->value == NULL ? "" : option->value);

		buf_add(&text, str_printf(&task->arena, "%-*.*s %s\n", HELP_COLUMNS, STR_FMT(head),
					  option->help));
	}
	return buf_finish(&text, ret_text);
}
