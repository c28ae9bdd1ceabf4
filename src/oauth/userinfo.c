/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/people.h"
#include "authority/verify.h"
#include "base/json.h"
#include "oauth/credentials.h"
#include "oauth/endpoints.h"
#include "oauth/reply.h"

/* RFC 6750 3.1: no error code for who sent no credentials. */
static enum err ask_for_token(struct exchange *exchange)
{
	reply_field(exchange, STR("WWW-Authenticate"), STR("Bearer realm=\"grantd\""));
	reply_with(exchange, 401, STR_NONE, STR_NONE);
	return OK;
}

static enum err check_access(struct exchange *exchange, const struct access *access)
{
	struct task *task = &exchange->task;
	const struct config *config = authority_config(oauth_authority(exchange));

	if (!str_equals(access->audience, config->issuer))
		return fail(task, ERR_TOKEN, "the token is for another resource");
	if (access->grant_id.at == NULL || !scope_has(access->scope, STR("openid")))
		return fail(task, ERR_INSUFFICIENT_SCOPE, "the scope openid is needed");
	return OK;
}

/* OpenID Connect Core 5.4. Nobody proved the address yet, and the answer says so. */
static enum err write_claims(struct exchange *exchange, const struct access *access)
{
	struct task *task = &exchange->task;
	struct buf buf = buf_in(&task->arena, OAUTH_REPLY_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str email = STR("");

	if (scope_has(access->scope, STR("email")))
		TRY(user_email(task, oauth_authority(exchange), &access->standing.user, &email));
	json_open_object(&json);
	json_member_str(&json, "sub", access->sub);
	if (scope_has(access->scope, STR("profile")))
		json_member_str(&json, "preferred_username", access->username);
	if (!str_is_empty(email)) {
		json_member_str(&json, "email", email);
		json_member_bool(&json, "email_verified", false);
	}
	json_close(&json);
	return oauth_reply_json(exchange, &buf);
}

enum err oauth_userinfo(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct str token = bearer_token(&exchange->request);
	struct access access;

	if (request_field_count(&exchange->request, STR("Authorization")) > 1)
		return fail(task, ERR_REQUEST, "more than one Authorization header");
	if (str_is_empty(token))
		return ask_for_token(exchange);
	TRY(access_token_verify(task, oauth_authority(exchange), token, &access));
	TRY(check_access(exchange, &access));
	return write_claims(exchange, &access);
}
