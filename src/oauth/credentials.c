/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/credentials.h"

#include "base/url.h"
#include "crypto/base64.h"

/* A parser's refusal in the words of the protocol, with what the client has to change. */
static enum err form_decode(struct task *task, struct str text, struct str *ret_text)
{
	if (url_decode(task, text, true, ret_text) != OK)
		return fail(task, ERR_REQUEST,
			    "the Basic credentials are not form-encoded (RFC 6749 2.3.1)");
	return OK;
}

/* auth-scheme 1*SP token68 (RFC 9110 11.4) */
static bool split_scheme(struct str value, struct str *ret_scheme, struct str *ret_rest)
{
	size_t end = str_find(value, ' ');
	struct str rest = str_from(value, end);

	if (end == 0 || end == value.len)
		return false;
	while (rest.len > 0 && rest.at[0] == ' ')
		rest = str_from(rest, 1);
	*ret_scheme = str_sub(value, 0, end);
	*ret_rest = rest;
	return true;
}

enum err basic_parse(struct task *task, struct str value, struct basic *ret_basic)
{
	struct str scheme, coded, pair;
	struct basic basic;
	size_t colon;

	if (!split_scheme(value, &scheme, &coded))
		return fail(task, ERR_REQUEST, "the Authorization header has no credentials");
	if (!str_equals_nocase(scheme, STR("Basic")))
		return fail(task, ERR_CLIENT, "of Authorization schemes only Basic is known here");
	if (base64_decode(task, coded, &pair) != OK)
		return fail(task, ERR_REQUEST, "the Basic credentials are not base64");
	colon = str_find(pair, ':');
	if (colon == 0 || colon == pair.len)
		return fail(task, ERR_REQUEST, "the Basic credentials are not ID:SECRET");
	basic.raw_password = str_from(pair, colon + 1);
	TRY(form_decode(task, str_sub(pair, 0, colon), &basic.user));
	TRY(form_decode(task, basic.raw_password, &basic.password));
	*ret_basic = basic;
	return OK;
}

struct str bearer_token(const struct request *request)
{
	struct str value = request_field(request, STR("Authorization"));
	struct str prefix = STR("Bearer ");

	if (!str_equals_nocase(str_sub(value, 0, prefix.len), prefix))
		return STR_NONE;
	return str_trim(str_from(value, prefix.len));
}

static enum err read_basic(struct task *task, const struct request *request,
			   struct client_credentials *credentials)
{
	struct str body_id = credentials->client_id;
	struct str value = request_field(request, STR("Authorization"));
	struct basic basic;

	if (request_field_count(request, STR("Authorization")) > 1)
		return fail(task, ERR_REQUEST, "more than one Authorization header");
	TRY(basic_parse(task, value, &basic));
	credentials->client_id = basic.user;
	if (body_id.at != NULL && !str_equals(body_id, credentials->client_id))
		return fail(task, ERR_REQUEST, "client_id is not the authenticated client");
	/* RFC 6749 2.3.1: an empty secret may be left out; clients without one send "id:" */
	if (basic.raw_password.len == 0)
		return OK;
	credentials->method = CREDENTIAL_BASIC;
	credentials->secret = basic.password;
	credentials->raw_secret = basic.raw_password;
	return OK;
}

static enum err read_assertion(struct task *task, const struct form *form,
			       struct client_credentials *credentials)
{
	if (!str_equals(form_get(form, "client_assertion_type"),
			STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")))
		return fail(task, ERR_CLIENT,
			    "client_assertion_type must be "
			    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
	credentials->method = CREDENTIAL_ASSERTION;
	credentials->secret = form_get(form, "client_assertion");
	return str_is_empty(credentials->secret)
		       ? fail(task, ERR_CLIENT, "client_assertion is missing")
		       : OK;
}

enum err credentials_read(struct task *task, const struct request *request, const struct form *form,
			  struct client_credentials *ret_credentials)
{
	struct client_credentials credentials = {
		.client_id = form_get(form, "client_id"),
		.source = request->peer.address,
	};
	bool has_basic = request_field_count(request, STR("Authorization")) > 0;
	bool has_secret = form_get(form, "client_secret").at != NULL;
	bool has_assertion = form_get(form, "client_assertion").at != NULL ||
			     form_get(form, "client_assertion_type").at != NULL;

	if (has_basic + has_secret + has_assertion > 1)
		return fail(task, ERR_REQUEST, "more than one method of client authentication");
	if (has_assertion)
		TRY(read_assertion(task, form, &credentials));
	if (has_basic)
		TRY(read_basic(task, request, &credentials));
	if (has_secret) {
		credentials.method = CREDENTIAL_POST;
		credentials.secret = form_get(form, "client_secret");
	}
	*ret_credentials = credentials;
	return OK;
}
