/* SPDX-License-Identifier: Apache-2.0 */
#include "config/on_stop.h"

#include "base/task.h"
#include "base/url.h"
#include "config/members.h"

#define WORDS_MAX 16
#define WORD_MAX  300

/* Only {username} and {client} stand for something; the command itself is fixed. */
static enum err check_places(struct task *task, struct str word, bool is_command)
{
	struct str rest = word;

	while (rest.len > 0) {
		rest = str_from(rest, str_find(rest, '{'));
		if (rest.len == 0)
			return OK;
		if (is_command || (!str_starts_with(rest, STR("{username}")) &&
				   !str_starts_with(rest, STR("{client}"))))
			return failf(
				task, ERR_CONFIG,
				"on_stop: \"%.*s\": only {username} and {client} are filled in, "
				"and not in the command itself",
				STR_FMT(word));
		rest = str_from(rest, 1);
	}
	return OK;
}

static bool is_line(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7F)
			return false;
	return text.len > 0 && text.len <= WORD_MAX;
}

/* What looks like a URL must be one that we call, alone: nothing would read a second word. */
static enum err check_url(struct task *task, struct str word, size_t count)
{
	struct url url;

	if (!str_starts_with(str_from(word, str_find(word, ':')), STR("://")))
		return OK;
	if (url_parse(word, &url) != OK || !str_starts_with(word, STR("https://")) ||
	    str_is_empty(url.host) || url.userinfo.at != NULL)
		return fail(task, ERR_CONFIG,
			    "on_stop: a URL must be https:// and carry no user or password");
	if (count > 1)
		return fail(task, ERR_CONFIG,
			    "on_stop: a URL stands alone; what stopped is in the body of the call");
	return OK;
}

static enum err take_words(struct task *task, const json_t *list, struct resource *resource)
{
	size_t count = json_array_size(list);
	struct str *words = NEW_ARRAY(&task->arena, struct str, count);

	if (count == 0 || count > WORDS_MAX)
		return failf(task, ERR_CONFIG, "on_stop: needs 1 to %d words", WORDS_MAX);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(list, i);
		struct str word = { json_string_value(value), json_string_length(value) };

		if (!json_is_string(value) || !is_line(word))
			return failf(task, ERR_CONFIG,
				     "on_stop[%zu]: must be a text of one line, 1 to %d bytes", i,
				     WORD_MAX);
		TRY(check_places(task, word, i == 0));
		words[i] = str_copy(&task->arena, word);
	}
	TRY(check_url(task, words[0], count));
	resource->on_stop = words;
	resource->on_stop_count = count;
	return OK;
}

/* A command line without quoting, "doveadm kick {username}": its words become a list. */
static enum err take_command_line(struct task *task, struct str text, struct resource *resource)
{
	CLEANUP(json_unref) json_t *list = json_array();
	struct str word;

	if (!is_line(text))
		return failf(task, ERR_CONFIG, "on_stop: must be one line of 1 to %d bytes",
			     WORD_MAX);
	if (str_has(text, '"') || str_has(text, '\''))
		return fail(task, ERR_CONFIG,
			    "on_stop: no shell reads this; for words with spaces write a list: "
			    "[\"command\", \"an argument\"]");
	while (str_next(&text, ' ', &word))
		if (word.len > 0)
			json_array_append_new(list, json_stringn(word.at, word.len));
	return take_words(task, list, resource);
}

enum err on_stop_parse(struct task *task, const json_t *value, struct resource *resource)
{
	if (value == NULL)
		return OK;
	if (json_is_array(value))
		return take_words(task, value, resource);
	if (!json_is_string(value))
		return fail(task, ERR_CONFIG,
			    "on_stop: must be a command, a list of its words, or an https:// URL");
	return take_command_line(
		task, (struct str){ json_string_value(value), json_string_length(value) },
		resource);
}
