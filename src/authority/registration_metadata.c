/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/registration_metadata.h"

#include "base/printable.h"
#include "base/task.h"
#include "crypto/jwk.h"
#include "crypto/jwk_set.h"
#include "model/document.h"
#include "model/redirect.h"

#define LIST_MAX 64

/* What an agent that nobody vouches for may use: always a person's consent (RFC 9700 2.4). */
#define OWN_GRANT_TYPES (GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN)

enum shape { SHAPE_TEXT, SHAPE_TEXTS, SHAPE_YES_NO, SHAPE_OBJECT };

static const struct {
	const char *name;
	enum shape shape;
} members[] = {
	{ "redirect_uris", SHAPE_TEXTS },
	{ "token_endpoint_auth_method", SHAPE_TEXT },
	{ "token_endpoint_auth_methods_supported", SHAPE_TEXTS },
	{ "token_endpoint_auth_signing_alg", SHAPE_TEXT },
	{ "dpop_bound_access_tokens", SHAPE_YES_NO },
	{ "require_pushed_authorization_requests", SHAPE_YES_NO },
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
	case SHAPE_YES_NO:
		return json_is_boolean(value) ? NULL : "true or false";
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

static struct str text_of(const struct reading *reading, const char *name)
{
	return registration_text(reading->said, name);
}

static struct str copy(const struct reading *reading, struct str text)
{
	return text.at == NULL ? STR_NONE : str_copy(&reading->task->arena, text);
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
		struct str uri = registration_item(list, i);

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

static enum err take_keys_uri(struct reading *reading)
{
	struct str uri = text_of(reading, "jwks_uri");

	if (uri.at == NULL)
		return OK;
	if (document_check_jwks_uri(reading->task, uri, reading->rules->has_localhost) != OK)
		return ERR_METADATA; /* the reason is noted */
	reading->wish.client.jwks_uri = copy(reading, uri);
	return OK;
}

/* RFC 7591 2: by value or by reference. */
static enum err take_keys(struct reading *reading)
{
	const json_t *jwks = member_of(reading, "jwks");
	struct str text;
	enum err err;

	TRY(take_keys_uri(reading));
	if (jwks == NULL)
		return OK;
	if (reading->wish.client.jwks_uri.at != NULL)
		return fail(reading->task, ERR_METADATA, "jwks or jwks_uri, not both");
	TRY(json_print(reading->task, jwks, REGISTRATION_BODY_MAX, &text));
	err = jwk_set_check(reading->task, text, &reading->wish.client.jwks);
	return err == ERR_SYNTAX ? ERR_METADATA : err; /* the reason is noted */
}

static bool take_method(struct reading *reading, struct str name)
{
	struct client *client = &reading->wish.client;
	enum client_auth auth;

	if (name.at == NULL)
		return false;
	if (client_auth_from_name(reading->task, name, &auth) != OK) {
		task_forgive(reading->task);
		return false;
	}
	if (auth == CLIENT_AUTH_PRIVATE_KEY && client->jwks.at == NULL &&
	    client->jwks_uri.at == NULL)
		return false;
	client->auth = auth;
	return true;
}

static bool find_method(struct reading *reading)
{
	struct str name = text_of(reading, "token_endpoint_auth_method");
	const json_t *list = member_of(reading, "token_endpoint_auth_methods_supported");

	reading->wish.client.auth = CLIENT_AUTH_BASIC;
	if (name.at == NULL && json_array_size(list) == 0)
		return true;
	if (take_method(reading, name))
		return true;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (take_method(reading, registration_item(list, i)))
			return true;
	return false;
}

/* Some say one, some a list of what they can do, some both: the first that can be had here. */
static enum err take_auth(struct reading *reading)
{
	struct str alg = text_of(reading, "token_endpoint_auth_signing_alg");
	struct client *client = &reading->wish.client;
	enum alg known;

	if (!find_method(reading))
		return fail(reading->task, ERR_METADATA,
			    "token_endpoint_auth_method must be none, client_secret_basic, "
			    "client_secret_post, or private_key_jwt with jwks or jwks_uri");
	if (client->auth != CLIENT_AUTH_PRIVATE_KEY) {
		client->jwks = client->jwks_uri = STR_NONE;
		return OK;
	}
	if (alg.at != NULL && alg_from_name(reading->task, alg, &known) != OK)
		return ERR_METADATA; /* the reason is noted */
	client->auth_alg = copy(reading, alg);
	return OK;
}

static enum err take_binding(struct reading *reading)
{
	if (json_is_true(member_of(reading, "dpop_bound_access_tokens")))
		reading->wish.client.dpop_bound_at = reading->task->now;
	if (json_is_true(member_of(reading, "require_pushed_authorization_requests")))
		reading->wish.client.par_required_at = reading->task->now;
	return OK;
}

static enum err take_grant_type(struct reading *reading, struct str name)
{
	unsigned type = 0;

	if (str_equals(name, STR("password")) || str_equals(name, STR("implicit")))
		return fail(reading->task, ERR_METADATA,
			    "grant_types: password and implicit are not to be had");
	if (grant_types_parse(reading->task, name, &type) != OK)
		task_forgive(reading->task);
	reading->wish.client.grant_types |=
		type &
		(OWN_GRANT_TYPES | (reading->rules->has_devices ? (unsigned)GRANT_DEVICE_CODE : 0));
	return OK;
}

static enum err take_grant_types(struct reading *reading)
{
	const json_t *list = member_of(reading, "grant_types");
	struct client *client = &reading->wish.client;

	if (list == NULL)
		client->grant_types = GRANT_AUTHORIZATION_CODE;
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(take_grant_type(reading, registration_item(list, i)));
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
		if (!str_equals(registration_item(list, i), STR("code")))
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
		check_statement,  take_redirects,	take_keys, take_auth,  take_binding,
		take_grant_types, check_response_types, take_name, take_scope,
	};
	CLEANUP(json_unref) json_t *kept = json_object();

	TRY(check_shapes(reading));
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		TRY(steps[i](reading));
	TRY(registration_describe(reading->task, reading->said, &reading->wish.client, kept));
	reading->wish.client_id = copy(reading, text_of(reading, "client_id"));
	reading->wish.client_secret = copy(reading, text_of(reading, "client_secret"));
	return json_print(reading->task, kept, REGISTRATION_BODY_MAX, &reading->wish.metadata);
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
	struct reading reading = { .task = task, .rules = rules };

	TRY(parse_body(task, body, &said));
	reading.said = said;
	TRY(read_all(&reading));
	*ret_wish = reading.wish;
	return OK;
}
