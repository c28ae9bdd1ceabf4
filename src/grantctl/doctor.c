/* SPDX-License-Identifier: Apache-2.0 */
/* Arrives as well-known clients do, and says what would fail and what to change. */
#include <signal.h>
#include <stdio.h>

#include "config/file.h"
#include "grantctl/ctl.h"
#include "grantctl/visit.h"
#include "http/folder.h"

#define PROFILE_MAX  (16 * 1024)
#define PROFILES_MAX 64
#define RESULT_WIDTH 6 /* "FAIL", and its gap */
#define CHECK_WIDTH  23

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
		if (json_parse(task, profiles->files[i].text, PROFILE_MAX, &profiles->values[i]) !=
		    OK)
			return failf(task, ERR_CONFIG, "profile %.*s.json: %.*s",
				     STR_FMT(profiles->files[i].name), STR_FMT(task->reason));
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

/*
 * Where no resource is named: the first that is served, by the name clients know, and with the
 * scopes that it would tell them.
 */
static enum err first_resource(struct task *task, const struct words *words, struct visit *visit)
{
	CLEANUP(json_unref) json_t *items = NULL;
	const json_t *first;
	struct str uri, scopes;

	TRY(call_list(task, words, STR("/v1/resources"), "resources", &items));
	first = json_array_get(items, 0);
	uri = json_get_str(first, "uri");
	if (uri.at == NULL)
		return fail(task, ERR_CONFLICT,
			    "there is nothing to ask for: grantctl resource add FILE");
	visit->audience = str_copy(&task->arena, uri);
	scopes = visit_joined(visit, json_object_get(first, "scopes"));
	visit->scopes = scopes.at == NULL ? STR_NONE : str_copy(&task->arena, scopes);
	return OK;
}

static enum err prepare(struct task *task, const struct words *words, struct visit *visit)
{
	struct str own = words->dir.at == NULL ? STR_NONE
					       : file_path(task, words->dir, STR("ca.pem"));

	visit->task = task;
	visit->words = words;
	TRY(learn(task, words, STR("/v1/status"), "issuer", &visit->issuer));
	visit->resource = words->values[OPTION_RESOURCE];
	visit->audience = visit->resource;
	if (visit->resource.at == NULL)
		TRY(first_resource(task, words, visit));
	visit->ca_file = words->values[OPTION_CA];
	/* what grantd init makes for a computer of one's own */
	if (visit->ca_file.at == NULL && own.at != NULL && file_exists(task, own))
		visit->ca_file = own;
	return OK;
}

/* A row of what a client found on its way. */
static struct str cell(const json_t *finding, const char *key)
{
	return json_get_str(finding, key);
}

static bool fails(const json_t *findings, struct str client)
{
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);

		if (str_equals(cell(finding, "client"), client) &&
		    str_equals(cell(finding, "result"), STR("FAIL")))
			return true;
	}
	return false;
}

/* For people: client by client, and what there is to say in lines that can be read. */
static void print_ways(struct task *task, const json_t *findings)
{
	struct str last = STR_NONE;

	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *finding = json_array_get(findings, i);
		struct str client = cell(finding, "client");

		if (!str_equals(client, last))
			printf("%s%.*s %s\n", i == 0 ? "" : "\n", STR_FMT(client),
			       fails(findings, client) ? "would NOT get in" : "would get in");
		last = client;
		printf("  %-*.*s%-*.*s", RESULT_WIDTH, STR_FMT(cell(finding, "result")),
		       CHECK_WIDTH, STR_FMT(cell(finding, "check")));
		print_filled(task, cell(finding, "text"), 2 + RESULT_WIDTH + CHECK_WIDTH);
	}
}

static enum err print_findings(struct task *task, const struct words *words, const json_t *findings)
{
	if (words->is_json)
		return print_list(task, words, findings, NULL, 0);
	print_ways(task, findings);
	return OK;
}

static bool is_meant(const struct words *words, struct str name)
{
	return words->is_given[OPTION_ALL] || str_equals(name, words->argument);
}

/* What was typed wrong is said before anything is asked or registered. */
static enum err check_words(struct task *task, const struct words *words,
			    const struct profiles *profiles)
{
	struct str ca_file = words->values[OPTION_CA];

	if (words->is_given[OPTION_ALL] && words->argument.at != NULL)
		return fail(task, ERR_REQUEST, "a name or --all, not both");
	if (ca_file.at != NULL && !file_exists(task, ca_file))
		return failf(task, ERR_REQUEST, "--ca: there is no file %.*s", STR_FMT(ca_file));
	for (size_t i = 0; i < profiles->count; i++)
		if (is_meant(words, profiles->files[i].name))
			return OK;
	return refuse_name(task, words, profiles);
}

static enum err visit_all(struct task *task, const struct words *words,
			  const struct profiles *profiles)
{
	CLEANUP(json_unref) json_t *findings = json_array();
	struct visit visit = { .findings = findings }, common;
	size_t visits = 0, failures = 0;

	TRY(prepare(task, words, &visit));
	common = visit;
	for (size_t i = 0; i < profiles->count && !visit_is_over(); i++) {
		if (!is_meant(words, profiles->files[i].name))
			continue;
		visit = common;
		visit.name = profiles->files[i].name;
		visit.profile = profiles->values[i];
		visit_run(&visit);
		visits++;
		failures += visit.failures > 0;
	}
	TRY(print_findings(task, words, findings));
	if (failures == 0)
		return OK;
	return failf(task, ERR_CONFLICT, "%zu of %zu would not get in", failures, visits);
}

/*
 * What ends a program waits until nothing is registered any more (visit_is_over); who sent it sees
 * that it was heard.
 */
static enum err visit_undisturbed(struct task *task, const struct words *words,
				  const struct profiles *profiles)
{
	sigset_t held, before;
	enum err err;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	err = visit_all(task, words, profiles);
	fflush(stdout);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

enum err client_doctor(struct task *task, const struct words *words)
{
	CLEANUP(profiles_free) struct profiles profiles = { 0 };

	TRY(read_profiles(task, words, &profiles));
	if (words->is_given[OPTION_LIST])
		return list_profiles(task, words, &profiles);
	TRY(check_words(task, words, &profiles));
	return visit_undisturbed(task, words, &profiles);
}
