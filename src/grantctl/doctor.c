/* SPDX-License-Identifier: Apache-2.0 */
/* Arrives as well-known clients do, and says what would fail and what to change. */
#include <stdio.h>

#include "config/file.h"
#include "grantctl/ctl.h"
#include "grantctl/visit.h"
#include "http/folder.h"

#define PROFILE_MAX  (16 * 1024)
#define PROFILES_MAX 64

struct profiles {
	struct folder_file *files;
	size_t count;
	json_t *values[PROFILES_MAX]; /* of the files; owned */
};

static void profiles_free(struct profiles *profiles)
{
	for (size_t i = 0; i < PROFILES_MAX; i++)
		json_unref(&profiles->values[i]);
}

static enum err read_profiles(struct task *task, const struct words *words,
			      struct profiles *profiles)
{
	const struct folder_wish wish = { .dir = file_path(task, words->share_dir, STR("arrivals")),
					  .ending = STR(".json"),
					  .max = PROFILE_MAX };

	TRY(folder_read(task, &task->arena, &wish, &profiles->files, &profiles->count));
	if (profiles->count > PROFILES_MAX)
		return fail(task, ERR_CONFIG, "there are more than 64 profiles");
	for (size_t i = 0; i < profiles->count; i++)
		TRY(json_parse(task, profiles->files[i].text, PROFILE_MAX, &profiles->values[i]));
	return OK;
}

static enum err list_profiles(struct task *task, const struct words *words,
			      const struct profiles *profiles)
{
	static const struct column columns[] = {
		{ "NAME", "name" },
		{ "WHO", "who" },
		{ "ARRIVES BY", "arrives" },
	};
	CLEANUP(json_unref) json_t *items = json_array();

	for (size_t i = 0; i < profiles->count; i++) {
		struct str name = profiles->files[i].name;
		json_t *item = json_object();

		json_object_set_new(item, "name", json_stringn(name.at, name.len));
		json_object_set(item, "who", json_object_get(profiles->values[i], "name"));
		json_object_set(item, "arrives", json_object_get(profiles->values[i], "arrives"));
		json_array_append_new(items, item);
	}
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

static enum err refuse_name(struct task *task, const struct words *words,
			    const struct profiles *profiles)
{
	struct buf buf = buf_in(&task->arena, PROFILE_MAX);
	struct str names = STR("");

	for (size_t i = 0; i < profiles->count; i++) {
		buf_add_c(&buf, i == 0 ? "" : ", ");
		buf_add(&buf, profiles->files[i].name);
	}
	TRY(buf_finish(&buf, &names));
	if (words->argument.at == NULL)
		return failf(task, ERR_REQUEST, "say which client, or --all: %.*s", STR_FMT(names));
	return failf(task, ERR_REQUEST, "no profile is called \"%.*s\"; there are %.*s",
		     STR_FMT(words->argument), STR_FMT(names));
}

/* A text that one of the daemon's answers has. */
static enum err learn(struct task *task, const struct words *words, struct str path,
		      const char *member, struct str *ret_text)
{
	CLEANUP(json_unref) json_t *answer = NULL;
	struct str text;

	TRY(call(task, words, "GET", path, STR_NONE, &answer));
	text = json_get_str(answer, member);
	*ret_text = text.at == NULL ? STR_NONE : str_copy(&task->arena, text);
	return OK;
}

/* Where no resource is named: the first that is served, by the name clients know. */
static enum err first_resource(struct task *task, const struct words *words, struct str *ret_uri)
{
	CLEANUP(json_unref) json_t *items = NULL;
	struct str uri;

	TRY(call_list(task, words, STR("/v1/resources"), "resources", &items));
	uri = json_get_str(json_array_get(items, 0), "uri");
	if (uri.at == NULL)
		return fail(task, ERR_CONFLICT,
			    "there is nothing to ask for: grantctl resource add FILE");
	*ret_uri = str_copy(&task->arena, uri);
	return OK;
}

static enum err prepare(struct task *task, const struct words *words, struct visit *visit)
{
	struct str own = words->dir.at == NULL ? STR_NONE
					       : file_path(task, words->dir, STR("ca.pem"));

	visit->task = task;
	TRY(learn(task, words, STR("/v1/status"), "issuer", &visit->issuer));
	visit->resource = words->values[OPTION_RESOURCE];
	visit->audience = visit->resource;
	if (visit->resource.at == NULL)
		TRY(first_resource(task, words, &visit->audience));
	visit->ca_file = words->values[OPTION_CA];
	/* what grantd init makes for a computer of one's own */
	if (visit->ca_file.at == NULL && own.at != NULL && file_exists(task, own))
		visit->ca_file = own;
	return OK;
}

static enum err print_findings(struct task *task, const struct words *words, const json_t *findings)
{
	static const struct column columns[] = {
		{ "CLIENT", "client" },
		{ "RESULT", "result" },
		{ "CHECK", "check" },
		{ "WHAT", "text" },
	};

	return print_list(task, words, findings, columns, COUNT_OF(columns));
}

static enum err visit_all(struct task *task, const struct words *words,
			  const struct profiles *profiles)
{
	CLEANUP(json_unref) json_t *findings = json_array();
	struct visit visit = { .findings = findings }, common;
	size_t visits = 0, failures = 0;

	TRY(prepare(task, words, &visit));
	common = visit;
	for (size_t i = 0; i < profiles->count; i++) {
		if (!words->is_given[OPTION_ALL] &&
		    !str_equals(profiles->files[i].name, words->argument))
			continue;
		visit = common;
		visit.name = profiles->files[i].name;
		visit.profile = profiles->values[i];
		visit_run(&visit);
		visits++;
		failures += visit.failures > 0;
	}
	if (visits == 0)
		return refuse_name(task, words, profiles);
	TRY(print_findings(task, words, findings));
	if (failures == 0)
		return OK;
	return failf(task, ERR_CONFLICT, "%zu of %zu would not get in", failures, visits);
}

enum err client_doctor(struct task *task, const struct words *words)
{
	CLEANUP(profiles_free) struct profiles profiles = { 0 };

	TRY(read_profiles(task, words, &profiles));
	if (words->is_given[OPTION_LIST])
		return list_profiles(task, words, &profiles);
	return visit_all(task, words, &profiles);
}
