/* SPDX-License-Identifier: Apache-2.0 */
#include "model/document.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/task.h"
#include "base/url.h"
#include "model/redirect.h"

#define LIFE_MIN     (5 * MINUTE_MS)
#define LIFE_DEFAULT HOUR_MS
#define LIFE_MAX     DAY_MS
#define SECONDS_MAX  INT32_MAX

static const char https[] = "https://";

bool document_is_meant(struct str client_id)
{
	return str_starts_with(client_id, str_from_c(https));
}

/* A dot, slash or backslash in another spelling: a check of segments and a server would differ. */
static bool hides_segments(struct str path)
{
	static const struct str hidden[] = { STR_INIT("%2e"), STR_INIT("%2f"), STR_INIT("%5c") };

	for (size_t i = 0; i + 3 <= path.len; i++)
		for (size_t k = 0; k < COUNT_OF(hidden); k++)
			if (str_equals_nocase(str_sub(path, i, 3), hidden[k]))
				return true;
	return false;
}

/* What is wrong with a URL of that name, or NULL. */
static const char *url_problem(struct str url, bool allow_localhost, struct url *ret_parts)
{
	struct url parts;

	if (url.len > DOCUMENT_URL_MAX)
		return "has more than 512 bytes";
	if (url_parse(url, &parts) != OK || !str_equals(parts.scheme, STR("https")))
		return "is not an https URL";
	if (parts.userinfo.at != NULL || parts.fragment.at != NULL)
		return "must not have a user name, a password or a fragment";
	if (!url_host_is_name(parts.host) &&
	    !(allow_localhost && str_equals(parts.host, STR("localhost"))))
		return "must have a host that is a name in small letters, no address";
	if (parts.path.len == 0)
		return "needs a path";
	if (url_has_dot_segment(parts.path) || hides_segments(parts.path))
		return "must not have dot segments, also not encoded ones";
	*ret_parts = parts;
	return NULL;
}

enum err document_check_url(struct task *task, struct str url, bool allow_localhost)
{
	struct url parts = { 0 };
	const char *problem = url_problem(url, allow_localhost, &parts);

	if (problem != NULL)
		return failf(task, ERR_CLIENT_DOCUMENT, "the client_id %s", problem);
	return OK;
}

static bool is_localhost(struct str host)
{
	return str_equals(host, STR("localhost")) || str_ends_with(host, STR(".localhost"));
}

enum err document_check_jwks_uri(struct task *task, struct str uri, bool allow_localhost)
{
	struct url parts = { 0 };
	const char *problem = url_problem(uri, allow_localhost, &parts);

	if (problem == NULL && !url_is_public(&parts) &&
	    !(allow_localhost && is_localhost(parts.host)))
		problem = "must be an https URL of a public host";
	if (problem != NULL)
		return failf(task, ERR_SYNTAX, "jwks_uri %s", problem);
	return OK;
}

struct str document_host(struct str url)
{
	struct str rest = str_from(url, sizeof(https) - 1);
	size_t end = 0;

	while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
		end++;
	return str_sub(rest, 0, end);
}

struct str document_domain(struct str url)
{
	struct str host = document_host(url);

	return str_sub(host, 0, str_find(host, ':'));
}

bool document_is_below(struct str domain, struct str above)
{
	if (domain.len <= above.len)
		return str_equals_nocase(domain, above);
	return domain.at[domain.len - above.len - 1] == '.' &&
	       str_equals_nocase(str_from(domain, domain.len - above.len), above);
}

bool document_is_json(struct str content_type)
{
	struct str type = str_trim(str_sub(content_type, 0, str_find(content_type, ';')));

	return str_equals_nocase(type, STR("application/json")) ||
	       (type.len > 5 && str_equals_nocase(str_from(type, type.len - 5), STR("+json")));
}

static enum err take_name(struct task *task, const json_t *json, struct str url,
			  struct client *client)
{
	const json_t *member = json_object_get(json, "client_name");
	struct str name = json_get_str(json, "client_name");

	client->name = document_host(url);
	if (member == NULL)
		return OK;
	if (str_trim(name).len == 0 || name.len > CLIENT_NAME_MAX || !str_is_printable(name))
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "client_name must be text of 1 to 128 bytes that can be seen");
	client->name = str_copy(&task->arena, name);
	return OK;
}

/* Which ones there are is the keys' affair, and looked at with them. */
static enum err take_alg(struct task *task, const json_t *json, struct client *client)
{
	struct str alg = json_get_str(json, "token_endpoint_auth_signing_alg");

	if (json_object_get(json, "token_endpoint_auth_signing_alg") == NULL)
		return OK;
	if (alg.at == NULL)
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "token_endpoint_auth_signing_alg must be text");
	client->auth_alg = str_copy(&task->arena, alg);
	return OK;
}

static enum err take_key_set(struct task *task, const json_t *json, struct client *client)
{
	const json_t *keys = json_object_get(json, "jwks");
	struct str uri = json_get_str(json, "jwks_uri");

	if (json_is_object(keys))
		return json_print(task, keys, DOCUMENT_MAX * 6, &client->jwks);
	if (uri.len == 0)
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "private_key_jwt needs the public keys: jwks, or jwks_uri with their "
			    "address");
	client->jwks_uri = str_copy(&task->arena, uri);
	return OK;
}

/* Section 4.1: whoever reads the document reads what is in it. */
static enum err take_auth(struct task *task, const json_t *json, struct client *client)
{
	const json_t *member = json_object_get(json, "token_endpoint_auth_method");
	struct str method = json_get_str(json, "token_endpoint_auth_method");

	if (json_object_get(json, "client_secret") != NULL ||
	    json_object_get(json, "client_secret_expires_at") != NULL)
		return fail(task, ERR_CLIENT_DOCUMENT, "there must be no client_secret");
	client->auth = CLIENT_AUTH_NONE;
	if (member == NULL || str_equals(method, STR("none")))
		return OK;
	if (!str_equals(method, STR("private_key_jwt")))
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "token_endpoint_auth_method must be none or private_key_jwt: what is "
			    "published is no secret");
	client->auth = CLIENT_AUTH_PRIVATE_KEY;
	TRY(take_alg(task, json, client));
	return take_key_set(task, json, client);
}

/* ERR_CLIENT_DOCUMENT unless absent or a list of texts; *ret_has: is that one of them? */
static enum err look_for(struct task *task, const json_t *json, const char *key, const char *text,
			 bool *ret_has)
{
	const json_t *list = json_object_get(json, key);

	*ret_has = false;
	if (list == NULL)
		return OK;
	if (!json_is_array(list))
		return failf(task, ERR_CLIENT_DOCUMENT, "%s must be a list", key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (!json_is_string(item))
			return failf(task, ERR_CLIENT_DOCUMENT, "%s must be a list of texts", key);
		if (str_equals(str_from_c(json_string_value(item)), str_from_c(text)))
			*ret_has = true;
	}
	return OK;
}

/* RFC 7591 2: what is not said is the authorization code, for codes. */
static enum err take_types(struct task *task, const json_t *json, struct client *client)
{
	bool has_code, has_grant, has_refresh, has_device;

	TRY(look_for(task, json, "response_types", "code", &has_code));
	TRY(look_for(task, json, "grant_types", "authorization_code", &has_grant));
	TRY(look_for(task, json, "grant_types", "refresh_token", &has_refresh));
	TRY(look_for(task, json, "grant_types", DEVICE_CODE, &has_device));
	if ((json_object_get(json, "response_types") != NULL && !has_code) ||
	    (json_object_get(json, "grant_types") != NULL && !has_grant))
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "code must be among response_types, and authorization_code among "
			    "grant_types");
	client->grant_types = GRANT_AUTHORIZATION_CODE;
	if (has_refresh)
		client->grant_types |= GRANT_REFRESH_TOKEN;
	/* good for something where the operator lets such clients ask from devices */
	if (has_device)
		client->grant_types |= GRANT_DEVICE_CODE;
	return OK;
}

struct schemes {
	const struct str *at;
	size_t count;
};

/* One that we would not take from anybody is left out; the others are as good as before. */
static enum err take_redirect(struct task *task, const json_t *item, const struct schemes *schemes,
			      struct str *uris, size_t *count)
{
	struct str uri = str_from_c(json_string_value(item));

	if (uri.at == NULL)
		return fail(task, ERR_CLIENT_DOCUMENT, "redirect_uris must be a list of texts");
	if (redirect_check(task, uri, schemes->at, schemes->count) != OK) {
		task_forgive(task);
		return OK;
	}
	if (*count == CLIENT_REDIRECTS)
		return fail(task, ERR_CLIENT_DOCUMENT, "there are at most 16 redirect_uris");
	uris[(*count)++] = str_copy(&task->arena, uri);
	return OK;
}

static enum err take_redirects(struct task *task, const json_t *json, const struct schemes *schemes,
			       struct client *client)
{
	struct str *uris = NEW_ARRAY(&task->arena, struct str, CLIENT_REDIRECTS);
	const json_t *list = json_object_get(json, "redirect_uris");

	if (!json_is_array(list))
		return fail(task, ERR_CLIENT_DOCUMENT, "redirect_uris must be a list");
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(take_redirect(task, json_array_get(list, i), schemes, uris,
				  &client->redirect_count));
	if (client->redirect_count == 0)
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "none of redirect_uris is https, http on a loopback host, or a "
			    "private-use scheme with a dot");
	client->redirect_uris = uris;
	return OK;
}

static enum err take_keys(struct task *task, const json_t *json, struct str *ret_keys)
{
	const json_t *keys = json_object_get(json, "jwks");
	const json_t *uri = json_object_get(json, "jwks_uri");

	*ret_keys = STR_NONE;
	if (keys != NULL && uri != NULL) /* RFC 7591 2 */
		return fail(task, ERR_CLIENT_DOCUMENT, "jwks or jwks_uri, not both");
	if (keys == NULL)
		keys = uri;
	return keys == NULL ? OK : json_print(task, keys, DOCUMENT_MAX * 6, ret_keys);
}

static enum err take_flag(struct task *task, const json_t *json, const char *name, bool *ret_is)
{
	const json_t *member = json_object_get(json, name);

	if (member != NULL && !json_is_boolean(member))
		return failf(task, ERR_CLIENT_DOCUMENT, "%s must be true or false", name);
	*ret_is = json_is_true(member);
	return OK;
}

enum err document_parse(struct task *task, struct str url, struct str text,
			const struct str *schemes, size_t scheme_count,
			struct document *ret_document)
{
	const struct schemes listed = { schemes, scheme_count };
	struct document document = { .client = { .id = url, .kind = STR(DOCUMENT_KIND) } };
	CLEANUP(json_unref) json_t *json = NULL;

	if (json_parse(task, text, DOCUMENT_MAX, &json) != OK || !json_is_object(json))
		return fail(task, ERR_CLIENT_DOCUMENT, "it is not a JSON object of at most 5 KiB");
	if (!str_equals(json_get_str(json, "client_id"), url))
		return fail(task, ERR_CLIENT_DOCUMENT,
			    "its client_id is not the URL it stands at, letter for letter");
	TRY(take_name(task, json, url, &document.client));
	TRY(take_auth(task, json, &document.client));
	TRY(take_types(task, json, &document.client));
	TRY(take_redirects(task, json, &listed, &document.client));
	TRY(take_keys(task, json, &document.keys));
	TRY(take_flag(task, json, "require_pushed_authorization_requests", &document.requires_par));
	TRY(take_flag(task, json, "dpop_bound_access_tokens", &document.is_bound));
	*ret_document = document;
	return OK;
}

static struct str unquoted(struct str value)
{
	if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
		return str_sub(value, 1, value.len - 2);
	return value;
}

/* The seconds of the directive, or -1; 0 for one that is there and is no number. */
static int64_t seconds_of(struct str cache_control, struct str directive)
{
	struct str part;

	while (str_next(&cache_control, ',', &part)) {
		size_t equals = str_find(part, '=');
		uint64_t seconds = 0;

		if (!str_equals_nocase(str_trim(str_sub(part, 0, equals)), directive))
			continue;
		(void)str_to_u64(unquoted(str_trim(str_from(part, equals + 1))), SECONDS_MAX,
				 &seconds);
		return (int64_t)seconds;
	}
	return -1;
}

int64_t document_life(struct str cache_control, struct str age)
{
	static const struct str never[] = { STR_INIT("no-store"), STR_INIT("no-cache"),
					    STR_INIT("private") };
	int64_t seconds = seconds_of(cache_control, STR("s-maxage"));
	uint64_t old = 0;
	int64_t life;

	for (size_t i = 0; i < COUNT_OF(never); i++)
		if (seconds_of(cache_control, never[i]) >= 0)
			return LIFE_MIN;
	if (seconds < 0)
		seconds = seconds_of(cache_control, STR("max-age"));
	if (seconds < 0)
		return LIFE_DEFAULT;
	(void)str_to_u64(age, SECONDS_MAX, &old);
	life = (seconds - (int64_t)old) * SECOND_MS;
	return life < LIFE_MIN ? LIFE_MIN : life > LIFE_MAX ? LIFE_MAX : life;
}
