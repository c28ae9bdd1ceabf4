/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/issue.h"
#include "authority/throttle_shared.h"
#include "authority/verify.h"
#include "base/json.h"
#include "oauth/credentials.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"
#include "oauth/reply.h"

/* Who asks: a resource server, or a client about its own tokens. */
struct caller {
	struct client_credentials credentials;
	const struct resource *resource; /* NULL: a client */
	struct client client;
	struct str token;
};

static enum err read_caller(struct exchange *exchange, const struct form *form,
			    struct caller *caller)
{
	struct task *task = &exchange->task;
	enum err err;

	TRY(credentials_read(task, &exchange->request, form, &caller->credentials));
	err = caller_authenticate(task, oauth_authority(exchange), &caller->credentials,
				  &caller->resource, &caller->client);
	if (err != OK) {
		oauth_retry_after(exchange, caller->credentials.retry_after);
		return err;
	}
	task_tag(task, "caller", caller->credentials.client_id);
	return OK;
}

/* RFC 7662 4: an allowed caller must not find tokens by trying. */
static enum err check_scanning(struct exchange *exchange, const struct caller *caller)
{
	int64_t retry_after = 0;
	enum err err = throttle_check(&exchange->task, oauth_authority(exchange)->throttle,
				      THROTTLE_INTROSPECTION, caller->credentials.client_id,
				      &retry_after);

	if (err != OK)
		oauth_retry_after(exchange, retry_after);
	return err;
}

/* As JSON, or signed for who asks for that (RFC 9701 4). */
static enum err reply_answer(struct exchange *exchange, const struct caller *caller,
			     struct str answer)
{
	const struct str signed_type = STR("application/token-introspection+jwt");
	struct str jwt = STR_NONE;

	if (!request_accepts(&exchange->request, signed_type)) {
		reply_with(exchange, 200, STR("application/json"), answer);
		return OK;
	}
	TRY(issue_introspection(&exchange->task, oauth_authority(exchange),
				caller->credentials.client_id, answer, &jwt));
	reply_with(exchange, 200, signed_type, jwt);
	return OK;
}

/* Exactly this, whatever the reason (RFC 7662 2.2). */
static enum err reply_inactive(struct exchange *exchange, const struct caller *caller)
{
	struct task *task = &exchange->task;

	if (throttle_spend(task, oauth_authority(exchange), THROTTLE_INTROSPECTION,
			   caller->credentials.client_id, NULL))
		log_warning(task, "introspection.scanned",
			    LOG_STR("caller", caller->credentials.client_id));
	return reply_answer(exchange, caller, STR("{\"active\":false}"));
}

static void write_optional(struct json_writer *json, const char *key, struct str value)
{
	if (!str_is_empty(value))
		json_member_str(json, key, value);
}

static int64_t seconds_until(const struct task *task, int64_t wall_ms)
{
	return wall_ms > task->now ? (wall_ms - task->now) / SECOND_MS : 0;
}

/* A refresh token, shown to its own client (draft-ietf-oauth-refresh-token-expiration 7). */
static void write_refresh(struct task *task, struct json_writer *json, const struct access *access)
{
	const struct standing *standing = &access->standing;

	if (standing->grant.expires_at != NEVER)
		json_member_int(json, "authorization_expires_in",
				seconds_until(task, standing->grant.expires_at));
	json_member_int(json, "refresh_token_timeout",
			seconds_until(task, standing->family.idle_expires_at));
}

static void write_access(struct task *task, struct json_writer *json, const struct access *access)
{
	json_member_str(json, "token_type", access->jkt.at == NULL ? STR("Bearer") : STR("DPoP"));
	json_member_str(json, "aud", access->audience);
	json_member_int(json, "exp", access->expires_at / SECOND_MS);
	json_member_int(json, "iat", access->issued_at / SECOND_MS);
	write_optional(json, "jti", access->jti);
	if (access->auth_time > 0)
		json_member_int(json, "auth_time", access->auth_time / SECOND_MS);
	write_optional(json, "acr", access->acr);
	act_write(json, &task->arena, &access->act);
	json_member_raw(json, "authorization_details", /* RFC 9396 9.2 */
			details_print(&task->arena, &access->details));
	if (access->jkt.at == NULL)
		return;
	json_key(json, "cnf"); /* RFC 9449 6.2 */
	json_open_object(json);
	json_member_str(json, "jkt", access->jkt);
	json_close(json);
}

static enum err reply_active(struct exchange *exchange, const struct caller *caller,
			     const struct access *access)
{
	struct task *task = &exchange->task;
	struct str answer;
	struct buf buf = buf_in(&task->arena, OAUTH_REPLY_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_bool(&json, "active", true);
	json_member_str(&json, "iss", authority_config(oauth_authority(exchange))->issuer);
	/* for a client as itself too: mod_auth_openidc wants it */
	json_member_str(&json, "sub", access->sub);
	write_optional(&json, "username", access->username);
	json_member_str(&json, "client_id", access->client_id);
	json_member_str(&json, "scope", scope_text(&task->arena, access->scope));
	if (str_is_empty(access->audience))
		write_refresh(task, &json, access);
	else
		write_access(task, &json, access);
	json_close(&json);
	TRY(buf_finish(&buf, &answer));
	return reply_answer(exchange, caller, answer);
}

/* Once an assertion that came with it is spent. */
static enum err introspect(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	const struct caller *caller = arg;
	struct introspection *question = NEW(&task->arena, struct introspection);

	TRY(result);
	question->token = caller->token;
	question->resource = caller->resource;
	question->client = &caller->client;
	if (question->token.at == NULL)
		return fail(task, ERR_REQUEST, "token is missing");
	TRY(check_scanning(exchange, caller));
	TRY(token_introspect(task, oauth_authority(exchange), question));
	return question->active ? reply_active(exchange, caller, &question->access)
				: reply_inactive(exchange, caller);
}

enum err oauth_introspect(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct caller *caller = NEW(&task->arena, struct caller);
	const struct single_use *single_use = &caller->credentials.single_use;
	struct form form;

	TRY(parameters_read(exchange, &form));
	TRY(read_caller(exchange, &form, caller));
	caller->token = form_get(&form, "token");
	if (single_use_is_empty(single_use))
		return introspect(task, OK, caller);
	exchange->goes_on_in_lane = true; /* to read the token's standing */
	return single_use_submit(task, oauth_authority(exchange), single_use, introspect, caller);
}
