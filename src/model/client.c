/* SPDX-License-Identifier: Apache-2.0 */
#include "model/client.h"

#include "base/printable.h"
#include "base/task.h"
#include "model/document.h"
#include "model/redirect.h"

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

static const struct {
	const char *name;
	enum client_auth auth;
} auth_names[] = {
	{ "none", CLIENT_AUTH_NONE },
	{ "client_secret_basic", CLIENT_AUTH_BASIC },
	{ "client_secret_post", CLIENT_AUTH_POST },
	{ "private_key_jwt", CLIENT_AUTH_PRIVATE_KEY },
};

/* the last names have a short form, for people who type it */
static const struct {
	const char *name;
	enum grant_type type;
	const char *short_name;
} type_names[] = {
	{ "authorization_code", GRANT_AUTHORIZATION_CODE, NULL },
	{ "refresh_token", GRANT_REFRESH_TOKEN, NULL },
	{ "client_credentials", GRANT_CLIENT_CREDENTIALS, NULL },
	{ TOKEN_EXCHANGE, GRANT_TOKEN_EXCHANGE, "token-exchange" },
	{ DEVICE_CODE, GRANT_DEVICE_CODE, "device_code" },
};

bool client_is_public(const struct client *client)
{
	return client->auth == CLIENT_AUTH_NONE;
}

bool client_has_secret(const struct client *client)
{
	return client->auth == CLIENT_AUTH_BASIC || client->auth == CLIENT_AUTH_POST;
}

bool client_is_operators(const struct client *client)
{
	return str_equals(client->kind, STR("operator"));
}

struct scope_set client_ceiling(const struct client *client)
{
	return client_is_operators(client) ? client->scope : (struct scope_set){ 0 };
}

bool client_allows(const struct client *client, enum grant_type type)
{
	return (client->grant_types & (unsigned)type) != 0;
}

struct str client_auth_name(enum client_auth auth)
{
	return str_from_c(auth_names[auth].name);
}

enum err client_auth_from_name(struct task *task, struct str name, enum client_auth *ret_auth)
{
	for (size_t i = 0; i < COUNT_OF(auth_names); i++) {
		if (str_equals(name, str_from_c(auth_names[i].name))) {
			*ret_auth = auth_names[i].auth;
			return OK;
		}
	}
	return fail(task, ERR_REQUEST,
		    "the method is one of none, client_secret_basic, client_secret_post, "
		    "private_key_jwt");
}

struct str grant_types_text(struct arena *arena, unsigned grant_types)
{
	struct str names[COUNT_OF(type_names)];
	struct scope_set set = { .names = names };

	for (size_t i = 0; i < COUNT_OF(type_names); i++)
		if (grant_types & (unsigned)type_names[i].type)
			names[set.count++] = str_from_c(type_names[i].name);
	return scope_text(arena, set);
}

static bool type_is_named(size_t type, struct str name)
{
	const char *short_name = type_names[type].short_name;

	return str_equals(name, str_from_c(type_names[type].name)) ||
	       (short_name != NULL && str_equals(name, str_from_c(short_name)));
}

static enum err grant_type_from_name(struct task *task, struct str name, unsigned *ret_type)
{
	for (size_t i = 0; i < COUNT_OF(type_names); i++) {
		if (type_is_named(i, name)) {
			*ret_type = (unsigned)type_names[i].type;
			return OK;
		}
	}
	return fail(task, ERR_REQUEST,
		    "a grant type is one of authorization_code, refresh_token, client_credentials, "
		    "token-exchange, device_code");
}

enum err grant_types_parse(struct task *task, struct str text, unsigned *ret_types)
{
	unsigned types = 0, type = 0;
	struct str name;

	while (str_next(&text, ' ', &name)) {
		TRY(grant_type_from_name(task, name, &type));
		types |= type;
	}
	if (types == 0)
		return fail(task, ERR_REQUEST, "at least one grant type is needed");
	*ret_types = types;
	return OK;
}

struct str client_find_redirect(const struct client *client, struct str asked)
{
	for (size_t i = 0; i < client->redirect_count; i++)
		if (redirect_matches(client->redirect_uris[i], asked))
			return client->redirect_uris[i];
	return STR_NONE;
}

bool client_has_only_loopback(const struct client *client)
{
	for (size_t i = 0; i < client->redirect_count; i++)
		if (!redirect_is_loopback(client->redirect_uris[i]))
			return false;
	return true;
}

static bool has_id_form(struct str id)
{
	return id.len > 0 && id.len <= CLIENT_ID_MAX && str_only(id, ID_CHARACTERS);
}

/* In a resource's on_stop it would be taken for an option. */
static bool is_like_option(struct str id)
{
	return str_starts_with(id, STR("-"));
}

bool client_id_is_valid(struct str id)
{
	return has_id_form(id) && !is_like_option(id);
}

static enum err check_names(struct task *task, const struct client *client)
{
	/* who describes itself is the URL of it, which was looked at as such (model/document.h) */
	if (!str_equals(client->kind, STR(DOCUMENT_KIND)) && !has_id_form(client->id))
		return fail(task, ERR_REQUEST,
			    "a client id has 1 to 128 characters of a-z A-Z 0-9 - . _ ~");
	if (is_like_option(client->id))
		return fail(task, ERR_REQUEST, "a client id must not start with -");
	if (str_starts_with(client->id, STR("usr_")))
		return fail(task, ERR_REQUEST,
			    "a client id must not look like a user's id (usr_…)");
	if (client->name.len == 0 || client->name.len > CLIENT_NAME_MAX ||
	    !str_is_text(client->name))
		return fail(task, ERR_REQUEST, "a client needs a name of 1 to 128 bytes");
	if (!str_is_printable(client->name))
		return fail(task, ERR_REQUEST,
			    "a client's name has characters that nobody would see");
	return OK;
}

/* Whether there are such clients, the store knows. */
static enum err check_delegates(struct task *task, const struct client *client)
{
	if (client->delegates_to.count > CLIENT_DELEGATES)
		return fail(task, ERR_REQUEST, "a client delegates to at most 16 others");
	if (scope_has(client->delegates_to, client->id))
		return fail(task, ERR_REQUEST,
			    "a client needs no leave to delegate to a part of itself");
	return OK;
}

/* RFC 7591 2: by value or by reference. */
static enum err check_keys(struct task *task, const struct client *client)
{
	bool has_keys = client->jwks.at != NULL || client->jwks_uri.at != NULL;

	if (client->jwks.at != NULL && client->jwks_uri.at != NULL)
		return fail(task, ERR_REQUEST, "jwks or jwks_uri, not both");
	if ((client->auth == CLIENT_AUTH_PRIVATE_KEY) != has_keys)
		return fail(task, ERR_REQUEST,
			    "private_key_jwt needs public keys (jwks or jwks_uri), and nothing "
			    "else does");
	return OK;
}

/* An exchange begins with a token that the client has of a person, or was handed by another one. */
static enum err check_grant_types(struct task *task, const struct client *client)
{
	if (client->grant_types == 0)
		return fail(task, ERR_REQUEST, "a client needs at least one grant type");
	if (client_is_public(client) && client_allows(client, GRANT_CLIENT_CREDENTIALS))
		return fail(task, ERR_REQUEST,
			    "client_credentials needs a secret: a public client cannot have it");
	TRY(check_keys(task, client));
	if (client->auth_alg.at != NULL && client->auth != CLIENT_AUTH_PRIVATE_KEY)
		return fail(task, ERR_REQUEST, "an algorithm goes with private_key_jwt");
	if (client->refresh_kept_at != 0 && client->dpop_bound_at == 0 &&
	    client->auth != CLIENT_AUTH_PRIVATE_KEY)
		return fail(task, ERR_REQUEST,
			    "refresh tokens that do not rotate are for agents that prove a key: "
			    "DPoP required, or private_key_jwt");
	if (client_allows(client, GRANT_REFRESH_TOKEN) &&
	    !client_allows(client, GRANT_AUTHORIZATION_CODE) &&
	    !client_allows(client, GRANT_DEVICE_CODE))
		return fail(task, ERR_REQUEST,
			    "refresh_token goes with authorization_code or device_code");
	if (client_is_public(client) && client->grant_types == GRANT_TOKEN_EXCHANGE)
		return fail(task, ERR_REQUEST,
			    "who acts through other clients needs a secret: a public client "
			    "exchanges only tokens of its own");
	return OK;
}

enum err client_check(struct task *task, const struct client *client, const struct str *schemes,
		      size_t scheme_count)
{
	TRY(check_names(task, client));
	TRY(check_grant_types(task, client));
	TRY(check_delegates(task, client));
	if (client_allows(client, GRANT_AUTHORIZATION_CODE) && client->redirect_count == 0)
		return fail(task, ERR_REQUEST,
			    "authorization_code needs at least one redirect URI");
	if (client->redirect_count > CLIENT_REDIRECTS)
		return fail(task, ERR_REQUEST, "a client has at most 16 redirect URIs");
	for (size_t i = 0; i < client->redirect_count; i++)
		TRY(redirect_check(task, client->redirect_uris[i], schemes, scheme_count));
	return OK;
}
