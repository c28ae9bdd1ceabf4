/* SPDX-License-Identifier: Apache-2.0 */
#include "config/file.h"
#include "grantctl/ctl.h"

#define BODY_MAX (64 * 1024)
#define KEYS_MAX (16 * 1024)

static const struct column columns[] = {
	{ "ID", "client_id" },	{ "NAME", "name" },	     { "KIND", "kind" },
	{ "STATUS", "status" }, { "AUTH", "auth" },	     { "RESOURCE", "resource" },
	{ "SCOPE", "scope" },	{ "CREATED", "created_at" },
};

static void add_list(struct json_writer *json, const char *key, const struct str *list,
		     size_t count)
{
	if (count == 0)
		return;
	json_key(json, key);
	json_open_array(json);
	for (size_t i = 0; i < count; i++)
		json_add_str(json, list[i]);
	json_close(json);
}

/* '' alone is nobody. */
static void add_delegates(struct json_writer *json, const struct words *words)
{
	bool is_nobody = words->delegate_count == 1 && str_is_empty(words->delegates[0]);

	add_list(json, "delegates_to", words->delegates, is_nobody ? 0 : words->delegate_count);
	if (!is_nobody)
		return;
	json_key(json, "delegates_to");
	json_open_array(json);
	json_close(json);
}

static void add_option(struct json_writer *json, const char *key, const struct words *words,
		       enum option option)
{
	if (words->is_given[option])
		json_member_str(json, key, words->values[option]);
}

static enum err check_kind(struct task *task, const struct words *words)
{
	int kinds = words->is_given[OPTION_PUBLIC] + words->is_given[OPTION_SECRET_STDIN] +
		    words->is_given[OPTION_GENERATE_SECRET] + words->is_given[OPTION_JWKS_FILE] +
		    words->is_given[OPTION_JWKS_URI];

	if (kinds != 1)
		return fail(task, ERR_REQUEST,
			    "say one of --public, --secret-stdin, --generate-secret, --jwks-file, "
			    "--jwks-uri");
	if (!words->is_given[OPTION_ID] || !words->is_given[OPTION_NAME])
		return fail(task, ERR_REQUEST, "--id and --name are needed");
	return OK;
}

static enum err check_secret_once(struct task *task, const struct words *words)
{
	if (words->is_given[OPTION_SECRET_STDIN] && words->is_given[OPTION_GENERATE_SECRET])
		return fail(task, ERR_REQUEST, "--secret-stdin or --generate-secret, not both");
	return OK;
}

/* Public keys only: the daemon refuses others, but then they have been shown to it. */
static enum err add_keys(struct task *task, const struct words *words, struct json_writer *json)
{
	CLEANUP(json_unref) json_t *keys = NULL;
	struct str file = words->values[OPTION_JWKS_FILE], text;

	if (!words->is_given[OPTION_JWKS_FILE])
		return OK;
	if (file_read(task, file, KEYS_MAX, &text) != OK)
		return failf(task, ERR_CONFIG, "%.*s", STR_FMT(task->reason));
	if (json_parse(task, text, KEYS_MAX, &keys) != OK || !json_is_object(keys))
		return failf(task, ERR_CONFIG, "%.*s: not a JSON object with \"keys\"",
			     STR_FMT(file));
	TRY(json_print(task, keys, KEYS_MAX, &text));
	json_key(json, "jwks");
	json_add_raw(json, text);
	return OK;
}

/* What a client must, or need not. */
static enum err add_duties(struct task *task, const struct words *words, struct json_writer *json)
{
	static const struct {
		enum option option;
		const char *name;
		const char *member;
	} duties[] = {
		{ OPTION_DPOP, "--dpop", "dpop_bound" },
		{ OPTION_PAR, "--par", "par_required" },
	};

	for (size_t i = 0; i < COUNT_OF(duties); i++) {
		struct str word = words->values[duties[i].option];
		bool is_required = str_equals(word, STR("required"));

		if (!words->is_given[duties[i].option])
			continue;
		if (!is_required && !str_equals(word, STR("optional")))
			return failf(task, ERR_REQUEST, "%s is required or optional",
				     duties[i].name);
		json_member_bool(json, duties[i].member, is_required);
	}
	return OK;
}

/* What both create and update take. */
static enum err add_registration(struct task *task, const struct words *words,
				 struct json_writer *json)
{
	CLEANUP(secret_wipe) struct secret secret = { 0 };

	if (words->is_given[OPTION_SECRET_STDIN]) {
		TRY(read_secret_line(task, &secret));
		json_member_str(json, "client_secret", secret_reveal(&secret));
	}
	add_option(json, "name", words, OPTION_NAME);
	add_option(json, "resource", words, OPTION_RESOURCE);
	add_option(json, "scope", words, OPTION_SCOPE);
	add_option(json, "jwks_uri", words, OPTION_JWKS_URI);
	add_option(json, "auth_alg", words, OPTION_SIGNING_ALG);
	add_option(json, "refresh", words, OPTION_REFRESH);
	TRY(add_keys(task, words, json));
	TRY(add_duties(task, words, json));
	add_list(json, "redirect_uris", words->redirect_uris, words->redirect_uri_count);
	add_list(json, "grant_types", words->grant_types, words->grant_type_count);
	add_delegates(json, words);
	return OK;
}

enum err client_create(struct task *task, const struct words *words)
{
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str body;

	TRY(check_kind(task, words));
	json_open_object(&json);
	add_option(&json, "client_id", words, OPTION_ID);
	add_option(&json, "auth", words, OPTION_AUTH);
	json_member_bool(&json, "public", words->is_given[OPTION_PUBLIC]);
	TRY(add_registration(task, words, &json));
	json_close(&json);
	TRY(buf_finish(&buf, &body));
	return call_and_print(task, words, "POST", STR("/v1/clients"), body);
}

enum err client_update(struct task *task, const struct words *words)
{
	struct buf buf = buf_in(&task->arena, BODY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str body;

	TRY(check_secret_once(task, words));
	json_open_object(&json);
	TRY(add_registration(task, words, &json));
	if (words->is_given[OPTION_GENERATE_SECRET])
		json_member_bool(&json, "generate_secret", true);
	json_close(&json);
	TRY(buf_finish(&buf, &body));
	if (str_equals(body, STR("{}")))
		return fail(task, ERR_REQUEST, "say what to change; see --help");
	return call_and_print(task, words, "PATCH",
			      path_of(task, "/v1/clients", words->argument, NULL), body);
}

enum err client_list(struct task *task, const struct words *words)
{
	CLEANUP(json_unref) json_t *items = NULL;

	TRY(call_list(task, words, STR("/v1/clients"), "clients", &items));
	return print_list(task, words, items, columns, COUNT_OF(columns));
}

enum err client_show(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "GET",
			      path_of(task, "/v1/clients", words->argument, NULL), STR_NONE);
}

enum err client_disable(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/clients", words->argument, "disable"), STR_NONE);
}

enum err client_enable(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "POST",
			      path_of(task, "/v1/clients", words->argument, "enable"), STR_NONE);
}

enum err client_remove(struct task *task, const struct words *words)
{
	return call_and_print(task, words, "DELETE",
			      path_of(task, "/v1/clients", words->argument, NULL), STR_NONE);
}
