/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration_metadata.h"

#include "base/printable.h"
#include "base/task.h"
#include "base/url.h"
#include "model/redirect.h"

#define LIST_MAX     64
#define LINK_MAX     2048
#define WORD_MAX     256
#define CONTACTS_MAX 8

/* What an agent that nobody vouches for may use: always a person's consent (RFC 9700 2.4). */
#define OWN_GRANT_TYPES (GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN)

enum shape { SHAPE_TEXT, SHAPE_TEXTS, SHAPE_OBJECT };

static const struct {
	const char *name;
	enum shape shape;
} members[] = {
	{ "redirect_uris", SHAPE_TEXTS },
	{ "token_endpoint_auth_method", SHAPE_TEXT },
	{ "token_endpoint_auth_methods_supported", SHAPE_TEXTS },
	{ "grant_types", SHAPE_TEXTS },
	{ "response_types", SHAPE_TEXTS },
	{ "client_id", SHAPE_TEXT },
	{ "client_secret", SHAPE_TEXT },
	{ "client_name", SHAPE_TEXT },
	{ "client_uri", SHAPE_TEXT },
	{ "logo_uri", SHAPE_TEXT },
	{ "scope", SHAPE_TEXT },
	{ "contacts", SHAPE_TEXTS },
	{ "tos_uri", SHAPE_TEXT },
	{ "policy_uri", SHAPE_TEXT },
	{ "jwks_uri", SHAPE_TEXT },
	{ "jwks", SHAPE_OBJECT },
	{ "software_id", SHAPE_TEXT },
	{ "software_version", SHAPE_TEXT },
	{ "software_statement", SHAPE_TEXT },
	{ "application_type", SHAPE_TEXT },
	{ "id_token_signed_response_alg", SHAPE_TEXT },
};

struct reading {
	struct task *task;
	const struct registration_rules *rules;
	const json_t *said;
	json_t *kept;
	struct registration_wish wish;
};

static bool is_list_of_texts(const json_t *value)
{
	if (!json_is_array(value) || json_array_size(value) > LIST_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			return false;
	return true;
}

static const char *shape_problem(const json_t *value, enum shape shape)
{
	switch (shape) {
	case SHAPE_TEXT:
		return json_is_string(value) ? NULL : "a string";
	case SHAPE_TEXTS:
		return is_list_of_texts(value) ? NULL : "a list of at most 64 strings";
	case SHAPE_OBJECT:
		break;
	}
	return json_is_object(value) ? NULL : "an object";
}

/* RFC 7592 2.2: null is as good as absent. */
static const json_t *member_of(const struct reading *reading, const char *name)
{
	const json_t *value = json_object_get(reading->said, name);

	return json_is_null(value) ? NULL : value;
}

static enum err check_shapes(const struct reading *reading)
{
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		const json_t *value = member_of(reading, members[i].name);
		const char *problem = value == NULL ? NULL : shape_problem(value, members[i].shape);

		if (problem != NULL)
			return failf(reading->task, i == 0 ? ERR_REDIRECT_URI : ERR_METADATA,
				     "%s must be %s", members[i].name, problem);
	}
	return OK;
}

/* STR_NONE when absent or empty: clients do send "" for what they have not. */
static struct str text_of(const struct reading *reading, const char *name)
{
	struct str text = json_get_str(reading->said, name);

	return text.len == 0 ? STR_NONE : text;
}

static struct str item_of(const json_t *list, size_t index)
{
	const json_t *item = json_array_get(list, index);

	return (struct str){ json_string_value(item), json_string_length(item) };
}

static struct str copy(const struct reading *reading, struct str text)
{
	return text.at == NULL ? STR_NONE : str_copy(&reading->task->arena, text);
}

static void keep(const struct reading *reading, const char *name, struct str text)
{
	if (text.at != NULL)
		json_object_set_new(reading->kept, name, json_stringn(text.at, text.len));
}

static bool is_among(const struct str *list, size_t count, struct str text)
{
	for (size_t i = 0; i < count; i++)
		if (str_equals(list[i], text))
			return true;
	return false;
}

/* A bad one is dropped; its reason is told when no good one is left. */
static enum err take_redirects(struct reading *reading)
{
	const struct registration_rules *rules = reading->rules;
	const json_t *list = member_of(reading, "redirect_uris");
	struct str *uris = NEW_ARRAY(&reading->task->arena, struct str, CLIENT_REDIRECTS);
	struct client *client = &reading->wish.client;
	struct str problem = STR("redirect_uris is missing: where may answers go?");

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str uri = item_of(list, i);

		if (redirect_check(reading->task, uri, rules->schemes, rules->scheme_count) != OK) {
			problem = reading->task->reason;
			task_forgive(reading->task);
			continue;
		}
		if (is_among(uris, client->redirect_count, uri))
			continue;
		if (client->redirect_count == CLIENT_REDIRECTS)
			return fail(reading->task, ERR_REDIRECT_URI,
				    "a client has at most 16 redirect URIs");
		uris[client->redirect_count++] = copy(reading, uri);
	}
	client->redirect_uris = uris;
	if (client->redirect_count == 0)
		return failf(reading->task, ERR_REDIRECT_URI, "%.*s", STR_FMT(problem));
	return OK;
}

static bool take_method(struct reading *reading, struct str name)
{
	if (name.at == NULL)
		return false;
	if (client_auth_from_name(reading->task, name, &reading->wish.client.auth) == OK)
		return true;
	task_forgive(reading->task);
	return false;
}

/* Some say one, some a list of what they can do, some both: the first that can be had here. */
static enum err take_auth(struct reading *reading)
{
	struct str name = text_of(reading, "token_endpoint_auth_method");
	const json_t *list = member_of(reading, "token_endpoint_auth_methods_supported");

	reading->wish.client.auth = CLIENT_AUTH_BASIC;
	if (name.at == NULL && json_array_size(list) == 0)
		return OK;
	if (take_method(reading, name))
		return OK;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (take_method(reading, item_of(list, i)))
			return OK;
	return fail(reading->task, ERR_METADATA,
		    "token_endpoint_auth_method must be none, client_secret_basic or "
		    "client_secret_post");
}

static enum err take_grant_type(struct reading *reading, struct str name)
{
	unsigned type = 0;

	if (str_equals(name, STR("password")) || str_equals(name, STR("implicit")))
		return fail(reading->task, ERR_METADATA,
			    "grant_types: password and implicit are not to be had");
	if (grant_types_parse(reading->task, name, &type) != OK)
		task_forgive(reading->task);
	reading->wish.client.grant_types |= type & OWN_GRANT_TYPES;
	return OK;
}

static enum err take_grant_types(struct reading *reading)
{
	const json_t *list = member_of(reading, "grant_types");
	struct client *client = &reading->wish.client;

	if (list == NULL)
		client->grant_types = GRANT_AUTHORIZATION_CODE;
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(take_grant_type(reading, item_of(list, i)));
	if (!client_allows(client, GRANT_AUTHORIZATION_CODE))
		return fail(reading->task, ERR_METADATA,
			    "grant_types must have authorization_code: a client that registers "
			    "itself always asks a person");
	return OK;
}

/* RFC 7591 2.1: authorization_code goes with code, and nothing else is to be had. */
static enum err check_response_types(struct reading *reading)
{
	const json_t *list = member_of(reading, "response_types");

	if (list != NULL && json_array_size(list) == 0)
		return fail(reading->task, ERR_METADATA,
			    "response_types must have code, for grant_types has "
			    "authorization_code");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!str_equals(item_of(list, i), STR("code")))
			return fail(reading->task, ERR_METADATA, "response_types: only code");
	return OK;
}

static enum err take_name(struct reading *reading)
{
	struct str name = text_of(reading, "client_name");

	if (name.at == NULL)
		return OK;
	if (name.len > CLIENT_NAME_MAX || !str_is_printable(name) || str_trim(name).len == 0)
		return fail(reading->task, ERR_METADATA,
			    "client_name must have 1 to 128 bytes that people can see");
	reading->wish.client.name = copy(reading, name);
	return OK;
}

static enum err take_scope(struct reading *reading)
{
	struct str scope = copy(reading, text_of(reading, "scope"));

	if (scope_parse(reading->task, scope, &reading->wish.client.scope) == OK)
		return OK;
	task_forgive(reading->task);
	return fail(reading->task, ERR_METADATA,
		    "scope must be names of scopes with single spaces between them, at most 64");
}

static enum err check_link(struct reading *reading, const char *name)
{
	struct str link = text_of(reading, name);
	struct url url;

	if (link.at == NULL)
		return OK;
	if (link.len > LINK_MAX || url_parse(link, &url) != OK ||
	    !str_equals_nocase(url.scheme, STR("https")) || url.userinfo.at != NULL ||
	    !url_is_public(&url))
		return failf(reading->task, ERR_METADATA,
			     "%s must be an https URL of a public host", name);
	return OK;
}

static enum err take_links(struct reading *reading)
{
	static const char *const links[] = { "client_uri", "logo_uri", "tos_uri", "policy_uri" };

	TRY(check_link(reading, "jwks_uri"));
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		TRY(check_link(reading, links[i]));
		keep(reading, links[i], text_of(reading, links[i]));
	}
	return OK;
}

static enum err take_words(struct reading *reading)
{
	static const char *const words[] = { "software_id", "software_version" };

	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct str word = text_of(reading, words[i]);

		if (word.len > WORD_MAX || !str_is_printable(word))
			return failf(reading->task, ERR_METADATA,
				     "%s must have at most 256 bytes that people can see",
				     words[i]);
		keep(reading, words[i], word);
	}
	return OK;
}

static enum err take_contacts(struct reading *reading)
{
	const json_t *list = member_of(reading, "contacts");
	json_t *kept;

	if (json_array_size(list) == 0)
		return OK;
	if (json_array_size(list) > CONTACTS_MAX)
		return fail(reading->task, ERR_METADATA, "contacts: at most 8");
	kept = json_array();
	json_object_set_new(reading->kept, "contacts", kept);
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str contact = item_of(list, i);

		if (contact.len > WORD_MAX || !str_is_printable(contact))
			return fail(reading->task, ERR_METADATA,
				    "contacts: at most 256 bytes each that people can see");
		json_array_append_new(kept, json_stringn(contact.at, contact.len));
	}
	return OK;
}

/* OpenID Connect Registration 2: what it is, if it does not say, shows by where answers go. */
static enum err take_application_type(struct reading *reading)
{
	struct str type = text_of(reading, "application_type");
	const struct client *client = &reading->wish.client;

	if (type.at == NULL) {
		type = STR("web");
		for (size_t i = 0; i < client->redirect_count; i++)
			if (!str_starts_with(client->redirect_uris[i], STR("https:")))
				type = STR("native");
	}
	if (!str_equals(type, STR("web")) && !str_equals(type, STR("native")))
		return fail(reading->task, ERR_METADATA, "application_type must be web or native");
	keep(reading, "application_type", type);
	return OK;
}

static enum err take_signing(struct reading *reading)
{
	struct str alg = text_of(reading, "id_token_signed_response_alg");

	if (alg.at != NULL && !str_equals(alg, STR("RS256")))
		return fail(reading->task, ERR_METADATA,
			    "id_token_signed_response_alg must be RS256");
	keep(reading, "id_token_signed_response_alg", alg);
	return OK;
}

/* Keys are not used yet; unsound ones are refused all the same. */
static enum err check_keys(struct reading *reading)
{
	const json_t *jwks = member_of(reading, "jwks");

	if (jwks == NULL)
		return OK;
	if (text_of(reading, "jwks_uri").at != NULL)
		return fail(reading->task, ERR_METADATA, "jwks or jwks_uri, not both");
	return registration_check_keys(reading->task, jwks);
}

static enum err check_statement(struct reading *reading)
{
	if (text_of(reading, "software_statement").at == NULL)
		return OK;
	return fail(reading->task, ERR_SOFTWARE_STATEMENT,
		    "nobody's software statements are trusted here; register without one");
}

static enum err read_all(struct reading *reading)
{
	static enum err (*const steps[])(struct reading *) = {
		check_statement,
		take_redirects,
		take_auth,
		take_grant_types,
		check_response_types,
		take_name,
		take_scope,
		take_links,
		take_words,
		take_contacts,
		take_application_type,
		take_signing,
		check_keys,
	};

	TRY(check_shapes(reading));
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		TRY(steps[i](reading));
	reading->wish.client_id = copy(reading, text_of(reading, "client_id"));
	reading->wish.client_secret = copy(reading, text_of(reading, "client_secret"));
	return json_print(reading->task, reading->kept, REGISTRATION_BODY_MAX,
			  &reading->wish.metadata);
}

static enum err parse_body(struct task *task, struct str body, json_t **ret_said)
{
	CLEANUP(json_unref) json_t *said = NULL;
	enum err err = json_parse(task, body, REGISTRATION_BODY_MAX, &said);

	if (err == ERR_SYNTAX)
		return ERR_METADATA; /* the reason is noted */
	TRY(err);
	if (!json_is_object(said))
		return fail(task, ERR_METADATA, "the body must be a JSON object");
	*ret_said = said;
	said = NULL;
	return OK;
}

enum err registration_parse(struct task *task, const struct registration_rules *rules,
			    struct str body, struct registration_wish *ret_wish)
{
	CLEANUP(json_unref) json_t *said = NULL;
	CLEANUP(json_unref) json_t *kept = json_object();
	struct reading reading = { .task = task, .rules = rules, .kept = kept };

	TRY(parse_body(task, body, &said));
	reading.said = said;
	TRY(read_all(&reading));
	*ret_wish = reading.wish;
	return OK;
}
