/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/url.h"
#include "grantctl/ctl.h"

#define QUERY_MAX 4096

static const struct column columns[] = {
	{ "AT", "at" },		  { "KIND", "kind" },	   { "ACTOR", "actor" },
	{ "AGENT", "client_id" }, { "GRANT", "grant_id" }, { "RESOURCE", "resource" },
	{ "ID", "id" },
};

static void add_query(struct buf *path, const struct words *words, enum option option,
		      const char *name)
{
	if (!words->is_given[option])
		return;
	buf_add_char(path, '&');
	buf_add_c(path, name);
	buf_add_char(path, '=');
	url_encode(path, words->values[option]);
}

enum err event_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *answer = NULL;
	struct buf path = buf_in(&task->arena, QUERY_MAX);
	struct str text;

	buf_add_c(&path, "/v1/events?limit=");
	if (words->is_given[OPTION_LIMIT])
		url_encode(&path, words->values[OPTION_LIMIT]);
	else
		buf_add_c(&path, "50");
	add_query(&path, words, OPTION_USER, "user");
	add_query(&path, words, OPTION_CLIENT, "client");
	add_query(&path, words, OPTION_GRANT, "grant");
	TRY(buf_finish(&path, &text));
	TRY(call(task, words, "GET", text, STR_NONE, &answer));
	return print_list(task, words, json_object_get(answer, "events"), columns,
			  COUNT_OF(columns));
}

/* The sentences as the page showed them: the consent that was kept. */
static enum err print_sentences(struct task *task, const json_t *event)
{
	const json_t *sentences = json_object_get(json_object_get(event, "personal"), "sentences");

	if (json_array_size(sentences) == 0)
		return fail(task, ERR_NOT_FOUND, "this event keeps no sentences");
	for (size_t i = 0; i < json_array_size(sentences); i++) {
		const json_t *line = json_array_get(sentences, i);

		print_text(task, (struct str){ json_string_value(line), json_string_length(line) });
		putchar('\n');
	}
	return OK;
}

enum err event_show(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *event = NULL;

	TRY(call(task, words, "GET", path_of(task, "/v1/events", words->argument, NULL), STR_NONE,
		 &event));
	if (words->is_given[OPTION_TEXT] && !words->is_json)
		return print_sentences(task, event);
	return print_object(task, words, event);
}
