/* SPDX-License-Identifier: Apache-2.0 */
#include "config/resource.h"

#include <string.h>

#include "base/task.h"
#include "base/url.h"
#include "config/file.h"
#include "config/members.h"
#include "config/on_stop.h"
#include "config/operations.h"

#define NAME_MAX_LEN  64
#define TITLE_MAX     200
#define SENTENCE_MAX  300
#define SENTENCES_MAX 32
#define SCOPES_MAX_IN 64
/* all that is said of a resource's scopes: a question may ask for each (web/consent_view.c) */
#define WORDS_MAX	(32 * 1024)
#define SCOPE_MAX	128
#define CALLERS_MAX	16
#define SECRET_MIN	32
#define LIFETIME_MIN	30
#define LIFETIME_MAX	900
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* Where we are: one file, read into the memory of the task. */
struct reader {
	struct task *task;
	struct str dir;
	digest_fn *digest;
	struct resource *resource;
};

static const struct member resource_members[] = {
	{ "name", MEMBER_TEXT, true },
	{ "uri", MEMBER_TEXT, true },
	{ "title", MEMBER_TEXT, true },
	{ "enforced_by", MEMBER_TEXT, false },
	{ "checks", MEMBER_TEXT, false },
	{ "on_stop", MEMBER_ANY, false },
	{ "token", MEMBER_OBJECT, false },
	{ "scopes", MEMBER_ARRAY, true },
	{ "introspection", MEMBER_ARRAY, false },
};

static const struct member token_members[] = {
	{ "typ", MEMBER_TEXT, false },	      { "alg", MEMBER_TEXT, false },
	{ "lifetime", MEMBER_NUMBER, false }, { "dpop", MEMBER_YES_NO, false },
	{ "claims", MEMBER_ARRAY, false },
};

static const struct member scope_members[] = {
	{ "name", MEMBER_TEXT, true },	     { "title", MEMBER_TEXT, true },
	{ "risk", MEMBER_TEXT, false },	     { "default", MEMBER_YES_NO, false },
	{ "clients", MEMBER_YES_NO, false }, { "can", MEMBER_ARRAY, true },
	{ "cannot", MEMBER_ARRAY, false },   { "operations", MEMBER_ARRAY, false },
};

static const struct member caller_members[] = {
	{ "id", MEMBER_TEXT, true },
	{ "secret_file", MEMBER_TEXT, true },
};

/* Scopes that OpenID Connect and OAuth give a meaning of their own. */
static const char *const reserved_scopes[] = { "openid", "offline_access", "profile",
					       "email",	 "address",	   "phone" };

bool resource_name_is_valid(struct str name)
{
	return name.len > 0 && name.len <= NAME_MAX_LEN && str_only(name, NAME_CHARACTERS) &&
	       name.at[0] != '-' && name.at[name.len - 1] != '-';
}

static bool has_control(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7F)
			return true;
	return false;
}

/* A text for people: one line, not empty, at most max bytes. */
static enum err take_line(struct reader *reader, const json_t *value, struct str path, size_t max,
			  struct str *ret_line)
{
	struct str line = { json_string_value(value), json_string_length(value) };

	if (!json_is_string(value))
		return failf(reader->task, ERR_CONFIG, "%.*s: must be a text in quotes",
			     STR_FMT(path));
	if (str_trim(line).len == 0 || line.len > max || has_control(line))
		return failf(reader->task, ERR_CONFIG, "%.*s: must be one line of 1 to %zu bytes",
			     STR_FMT(path), max);
	*ret_line = str_copy(&reader->task->arena, line);
	return OK;
}

/* One of a few words; the first is meant when the member is absent. */
static enum err take_word(struct reader *reader, const json_t *object, struct str path,
			  const char *const *words, size_t count, struct str *ret_word)
{
	struct str word = STR_NONE, all = str_from_c(words[0]);

	for (size_t i = 1; i < count; i++)
		all = STR_JOIN(&reader->task->arena, all, STR(", "), str_from_c(words[i]));
	if (object != NULL)
		word = (struct str){ json_string_value(object), json_string_length(object) };
	for (size_t i = 0; i < count; i++) {
		if (word.at == NULL || str_equals(word, str_from_c(words[i]))) {
			*ret_word = str_from_c(words[i]);
			return OK;
		}
	}
	return failf(reader->task, ERR_CONFIG, "%.*s: \"%.*s\" is not one of %.*s%.*s",
		     STR_FMT(path), STR_FMT(word), STR_FMT(all),
		     STR_FMT(suggest(reader->task, word, words, count)));
}

static enum err take_sentences(struct reader *reader, const json_t *list, struct str path,
			       const struct str **ret_sentences, size_t *ret_count)
{
	size_t count = json_array_size(list);
	struct str *sentences = NEW_ARRAY(&reader->task->arena, struct str, count);

	if (count > SENTENCES_MAX)
		return failf(reader->task, ERR_CONFIG, "%.*s: at most %d sentences", STR_FMT(path),
			     SENTENCES_MAX);
	for (size_t i = 0; i < count; i++)
		TRY(take_line(reader, json_array_get(list, i), member_index(reader->task, path, i),
			      SENTENCE_MAX, &sentences[i]));
	*ret_sentences = sentences;
	*ret_count = count;
	return OK;
}

/* RFC 6749 3.3 */
static bool is_scope_token(struct str name)
{
	return name.len > 0 && name.len <= SCOPE_MAX && str_is_nqchar(name);
}

static bool is_reserved(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(reserved_scopes); i++)
		if (str_equals(name, str_from_c(reserved_scopes[i])))
			return true;
	return false;
}

static enum err take_scope_name(struct reader *reader, const json_t *object, struct str path,
				size_t before, struct str *ret_name)
{
	struct str name = json_get_str(object, "name");
	const struct resource_scope *scopes = reader->resource->scopes;

	path = member_path(reader->task, path, "name");
	if (!is_scope_token(name))
		return failf(reader->task, ERR_CONFIG,
			     "%.*s: must be 1 to %d printable characters without space, \" and \\",
			     STR_FMT(path), SCOPE_MAX);
	if (is_reserved(name))
		return failf(reader->task, ERR_CONFIG,
			     "%.*s: \"%.*s\" has a meaning in OpenID Connect; choose another",
			     STR_FMT(path), STR_FMT(name));
	for (size_t i = 0; i < before; i++)
		if (str_equals(scopes[i].name, name))
			return failf(reader->task, ERR_CONFIG, "%.*s: \"%.*s\" is there twice",
				     STR_FMT(path), STR_FMT(name));
	*ret_name = str_copy(&reader->task->arena, name);
	return OK;
}

static enum err take_scope(struct reader *reader, const json_t *object, struct str path,
			   size_t before, struct resource_scope *ret_scope)
{
	static const char *const risks[] = { "write", "read", "send", "delete" };
	struct task *task = reader->task;
	struct resource_scope scope = { 0 };

	TRY(members_check(task, object, path, scope_members, COUNT_OF(scope_members)));
	TRY(take_scope_name(reader, object, path, before, &scope.name));
	TRY(take_line(reader, json_object_get(object, "title"), member_path(task, path, "title"),
		      TITLE_MAX, &scope.title));
	TRY(take_word(reader, json_object_get(object, "risk"), member_path(task, path, "risk"),
		      risks, COUNT_OF(risks), &scope.risk));
	scope.is_default = json_is_true(json_object_get(object, "default"));
	scope.for_clients = json_is_true(json_object_get(object, "clients"));
	TRY(take_sentences(reader, json_object_get(object, "can"), member_path(task, path, "can"),
			   &scope.can, &scope.can_count));
	TRY(take_sentences(reader, json_object_get(object, "cannot"),
			   member_path(task, path, "cannot"), &scope.cannot, &scope.cannot_count));
	if (scope.can_count == 0)
		return failf(task, ERR_CONFIG,
			     "%.*s: needs a sentence: the person must read what the agent can do",
			     STR_FMT(member_path(task, path, "can")));
	TRY(operations_parse(task, json_object_get(object, "operations"), path, reader->resource,
			     &scope));
	*ret_scope = scope;
	return OK;
}

/* As it is kept with a consent: in quotes, those within it escaped, and a comma. */
static size_t kept_len(struct str text)
{
	size_t len = text.len + 3;

	for (size_t i = 0; i < text.len; i++)
		len += text.at[i] == '"' || text.at[i] == '\\';
	return len;
}

static size_t words_of(const struct resource_scope *scope)
{
	size_t len = kept_len(scope->title);

	for (size_t i = 0; i < scope->can_count; i++)
		len += kept_len(scope->can[i]);
	for (size_t i = 0; i < scope->cannot_count; i++)
		len += kept_len(scope->cannot[i]);
	return len;
}

static enum err take_scopes(struct reader *reader, const json_t *list)
{
	struct task *task = reader->task;
	size_t count = json_array_size(list), words = 0;
	struct resource_scope *scopes = NEW_ARRAY(&task->arena, struct resource_scope, count);

	if (count == 0 || count > SCOPES_MAX_IN)
		return failf(task, ERR_CONFIG, "scopes: needs 1 to %d of them", SCOPES_MAX_IN);
	reader->resource->scopes = scopes;
	for (size_t i = 0; i < count; i++) {
		TRY(take_scope(reader, json_array_get(list, i),
			       member_index(task, STR("scopes"), i), i, &scopes[i]));
		reader->resource->scope_count = i + 1;
		words += words_of(&scopes[i]);
	}
	if (words > WORDS_MAX)
		return failf(task, ERR_CONFIG,
			     "scopes: their titles and sentences are %zu bytes together, and a "
			     "question to a person takes %d; say it in fewer words, or make two "
			     "resources of it",
			     words, WORDS_MAX);
	return OK;
}

/* What its tokens say beside the claims of RFC 9068. */
static enum err take_claims(struct reader *reader, const json_t *list)
{
	static const char *const claims[] = { "username" };
	struct str word;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *claim = json_array_get(list, i);
		struct str path = member_index(reader->task, STR("token.claims"), i);

		if (!json_is_string(claim))
			return failf(reader->task, ERR_CONFIG, "%.*s: must be a text",
				     STR_FMT(path));
		TRY(take_word(reader, claim, path, claims, COUNT_OF(claims), &word));
		reader->resource->names_user = true;
	}
	return OK;
}

static enum err take_token(struct reader *reader, const json_t *token)
{
	static const char *const types[] = { "at+jwt", "JWT" };
	static const char *const algorithms[] = { "ES256", "RS256" };
	struct resource *resource = reader->resource;
	const json_t *lifetime = json_object_get(token, "lifetime");

	if (token != NULL)
		TRY(members_check(reader->task, token, STR("token"), token_members,
				  COUNT_OF(token_members)));
	TRY(take_word(reader, json_object_get(token, "typ"), STR("token.typ"), types,
		      COUNT_OF(types), &resource->token_typ));
	TRY(take_word(reader, json_object_get(token, "alg"), STR("token.alg"), algorithms,
		      COUNT_OF(algorithms), &resource->token_alg));
	resource->has_own_keys = str_equals(resource->token_typ, STR("JWT")) ||
				 str_equals(resource->token_alg, STR("RS256"));
	resource->takes_dpop = !json_is_false(json_object_get(token, "dpop"));
	TRY(take_claims(reader, json_object_get(token, "claims")));
	if (lifetime == NULL)
		return OK;
	if (json_integer_value(lifetime) < LIFETIME_MIN ||
	    json_integer_value(lifetime) > LIFETIME_MAX)
		return failf(reader->task, ERR_CONFIG, "token.lifetime: must be %d to %d seconds",
			     LIFETIME_MIN, LIFETIME_MAX);
	resource->token_ms = json_integer_value(lifetime) * SECOND_MS;
	return OK;
}

static enum err take_caller(struct reader *reader, const json_t *object, struct str path,
			    struct introspection_caller *ret_caller)
{
	struct task *task = reader->task;
	CLEANUP(secret_wipe) struct secret secret = { 0 };
	struct str id, file;
	uint8_t *hash = arena_alloc(&task->arena, RESOURCE_DIGEST_LEN);

	TRY(members_check(task, object, path, caller_members, COUNT_OF(caller_members)));
	id = json_get_str(object, "id");
	if (!resource_name_is_valid(id))
		return failf(task, ERR_CONFIG, "%.*s: must be 1 to %d of a-z, 0-9 and - inside",
			     STR_FMT(member_path(task, path, "id")), NAME_MAX_LEN);
	file = json_get_str(object, "secret_file");
	if (file_read_secret(task, file_path(task, reader->dir, file), &secret) != OK)
		return failf(task, ERR_CONFIG, "%.*s: %.*s",
			     STR_FMT(member_path(task, path, "secret_file")),
			     STR_FMT(task->reason));
	if (secret.len < SECRET_MIN)
		return failf(
			task, ERR_CONFIG,
			"%.*s: the secret has under %d characters; make one: openssl rand -hex 32",
			STR_FMT(member_path(task, path, "secret_file")), SECRET_MIN);
	if (reader->digest == NULL)
		return fail(task, ERR_INTERNAL, "no digest was handed down");
	reader->digest(secret_reveal(&secret), hash);
	ret_caller->id = str_copy(&task->arena, id);
	ret_caller->secret_hash = (struct str){ (const char *)hash, RESOURCE_DIGEST_LEN };
	return OK;
}

static enum err take_callers(struct reader *reader, const json_t *list)
{
	struct task *task = reader->task;
	size_t count = json_array_size(list);
	struct introspection_caller *callers = NEW_ARRAY(&task->arena, struct introspection_caller,
							 count);

	if (count > CALLERS_MAX)
		return failf(task, ERR_CONFIG, "introspection: at most %d callers", CALLERS_MAX);
	for (size_t i = 0; i < count; i++)
		TRY(take_caller(reader, json_array_get(list, i),
				member_index(task, STR("introspection"), i), &callers[i]));
	reader->resource->callers = callers;
	reader->resource->caller_count = count;
	return OK;
}

static enum err take_uri(struct reader *reader, struct str uri)
{
	struct url url;

	if (resource_canonical(reader->task, uri, &reader->resource->uri) != OK)
		return failf(reader->task, ERR_CONFIG, "uri: %.*s", STR_FMT(reader->task->reason));
	if (url_parse(reader->resource->uri, &url) != OK || url.host.at == NULL ||
	    !(str_equals(url.scheme, STR("https")) ||
	      (str_equals(url.scheme, STR("http")) && url_is_loopback(&url))))
		return fail(reader->task, ERR_CONFIG,
			    "uri: must start with https:// (http:// only for a loopback host)");
	return OK;
}

static enum err take_all(struct reader *reader, const json_t *object)
{
	static const char *const enforcers[] = { "resource", "gateway" };
	static const char *const checks[] = { "introspection", "local" };
	struct resource *resource = reader->resource;
	struct str word;

	TRY(take_uri(reader, json_get_str(object, "uri")));
	TRY(take_line(reader, json_object_get(object, "title"), STR("title"), TITLE_MAX,
		      &resource->title));
	TRY(take_word(reader, json_object_get(object, "enforced_by"), STR("enforced_by"), enforcers,
		      COUNT_OF(enforcers), &word));
	/* a page must not promise what nobody keeps */
	if (str_equals(word, STR("gateway")))
		return fail(reader->task, ERR_CONFIG,
			    "enforced_by: this version has no gateway; write resource");
	TRY(take_word(reader, json_object_get(object, "checks"), STR("checks"), checks,
		      COUNT_OF(checks), &word));
	resource->checks_locally = str_equals(word, STR("local"));
	TRY(on_stop_parse(reader->task, json_object_get(object, "on_stop"), resource));
	TRY(take_token(reader, json_object_get(object, "token")));
	TRY(take_scopes(reader, json_object_get(object, "scopes")));
	return take_callers(reader, json_object_get(object, "introspection"));
}

/* As sha256sum prints it, so that an operator can hold a file against what was recorded. */
static struct str hash_text(const struct reader *reader, struct str text)
{
	static const char digits[] = "0123456789abcdef";
	char *hex = arena_alloc(&reader->task->arena, 2 * RESOURCE_DIGEST_LEN + 1);
	uint8_t hash[RESOURCE_DIGEST_LEN];

	reader->digest(text, hash);
	for (size_t i = 0; i < sizeof(hash); i++) {
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	hex[2 * sizeof(hash)] = '\0';
	return (struct str){ hex, 2 * sizeof(hash) };
}

enum err resource_parse(struct task *task, struct str name, struct str text, struct str dir,
			digest_fn *digest, struct resource *ret_resource)
{
	CLEANUP(json_unref) json_t *object = NULL;
	struct resource resource = { .name = str_copy(&task->arena, name) };
	struct reader reader = { task, dir, digest, &resource };

	if (!resource_name_is_valid(name))
		return fail(
			task, ERR_CONFIG,
			"a resource's file name is 1 to 64 of a-z, 0-9 and - inside, and .json");
	if (json_parse(task, text, RESOURCE_FILE_MAX, &object) != OK)
		return failf(task, ERR_CONFIG, "not JSON: %.*s", STR_FMT(task->reason));
	TRY(members_check(task, object, STR(""), resource_members, COUNT_OF(resource_members)));
	if (!str_equals(json_get_str(object, "name"), name))
		return failf(task, ERR_CONFIG, "name: must be \"%.*s\", as the file is called",
			     STR_FMT(name));
	TRY(take_all(&reader, object));
	if (digest != NULL)
		resource.file_hash = hash_text(&reader, text);
	*ret_resource = resource;
	return OK;
}

const struct resource_scope *resource_find_scope(const struct resource *resource, struct str name)
{
	for (size_t i = 0; i < resource->scope_count; i++)
		if (str_equals(resource->scopes[i].name, name))
			return &resource->scopes[i];
	return NULL;
}
