/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/reply.h"

#include "authority/dpop.h"
#include "authority/reason.h"
#include "base/json.h"
#include "base/tally.h"
#include "oauth/endpoints.h"

#define DESCRIPTION_MAX 200
#define REFUSAL_MAX	2048

static const struct oauth_answer server_error = { 500, "server_error", NULL, 0 };

static const struct oauth_answer answers[ERR_LAST + 1] = {
	[ERR_REQUEST] = { 400, "invalid_request", NULL, 0 },
	[ERR_CLIENT] = { 401, "invalid_client", "Basic", 0 },
	[ERR_CLIENT_DOCUMENT] = { 400, "invalid_client", NULL, 0 },
	[ERR_GRANT] = { 400, "invalid_grant", NULL, 0 },
	[ERR_SCOPE] = { 400, "invalid_scope", NULL, 0 },
	[ERR_TARGET] = { 400, "invalid_target", NULL, 0 },
	[ERR_CLIENT_NOT_ALLOWED] = { 400, "unauthorized_client", NULL, 0 },
	[ERR_GRANT_TYPE] = { 400, "unsupported_grant_type", NULL, 0 },
	[ERR_RESPONSE_TYPE] = { 400, "unsupported_response_type", NULL, 0 },
	[ERR_REQUEST_OBJECT] = { 400, "request_not_supported", NULL, 0 },
	[ERR_REQUEST_URI] = { 400, "request_uri_not_supported", NULL, 0 },
	[ERR_DETAILS] = { 400, "invalid_authorization_details", NULL, 0 },
	[ERR_PUSHED] = { 400, "invalid_request_uri", NULL, 0 },
	[ERR_DENIED] = { 400, "access_denied", NULL, 0 },
	[ERR_PENDING] = { 400, "authorization_pending", NULL, 0 },
	[ERR_SLOW_DOWN] = { 400, "slow_down", NULL, 0 },
	[ERR_EXPIRED] = { 400, "expired_token", NULL, 0 },
	[ERR_LOGIN_REQUIRED] = { 400, "login_required", NULL, 0 },
	[ERR_CONSENT_REQUIRED] = { 400, "consent_required", NULL, 0 },
	[ERR_UNMET_AUTHENTICATION] = { 400, "unmet_authentication_requirements", NULL, 0 },
	[ERR_METADATA] = { 400, "invalid_client_metadata", NULL, 0 },
	[ERR_REDIRECT_URI] = { 400, "invalid_redirect_uri", NULL, 0 },
	[ERR_SOFTWARE_STATEMENT] = { 400, "invalid_software_statement", NULL, 0 },
	[ERR_TOKEN] = { 401, "invalid_token", "Bearer", 0 },
	[ERR_TOKEN_TYPE] = { 400, "unsupported_token_type", NULL, 0 },
	[ERR_INSUFFICIENT_SCOPE] = { 403, "insufficient_scope", "Bearer", 0 },
	[ERR_DPOP] = { 400, "invalid_dpop_proof", NULL, 0 },
	[ERR_DPOP_NONCE] = { 400, "use_dpop_nonce", NULL, 0 },
	/* clients throw their tokens away on invalid_grant, so a pause must not look like one */
	[ERR_PAUSED] = { 503, "temporarily_unavailable", NULL, 60 },
	[ERR_THROTTLED] = { 429, "temporarily_unavailable", NULL, 60 },
	[ERR_PASSWORD] = { 400, "access_denied", NULL, 0 },
	[ERR_FORBIDDEN] = { 403, "access_denied", NULL, 0 },
	[ERR_NOT_FOUND] = { 404, "not_found", NULL, 0 },
	[ERR_CONFLICT] = { 409, "invalid_request", NULL, 0 },
	[ERR_TOO_LARGE] = { 413, "invalid_request", NULL, 0 },
	[ERR_MEDIA_TYPE] = { 415, "invalid_request", NULL, 0 },
	[ERR_METHOD] = { 405, "invalid_request", NULL, 0 },
	[ERR_SYNTAX] = { 400, "invalid_request", NULL, 0 },
	[ERR_CONFIG] = { 500, "server_error", NULL, 0 },
	[ERR_BUSY] = { 503, "temporarily_unavailable", NULL, 1 },
	[ERR_TIMEOUT] = { 503, "temporarily_unavailable", NULL, 5 },
	[ERR_STORE] = { 503, "temporarily_unavailable", NULL, 5 },
	[ERR_FULL] = { 503, "temporarily_unavailable", NULL, 30 },
	[ERR_CRYPTO] = { 500, "server_error", NULL, 0 },
	[ERR_IO] = { 500, "server_error", NULL, 0 },
	[ERR_INTERNAL] = { 500, "server_error", NULL, 0 },
};

const struct oauth_answer *oauth_answer_of(enum err err)
{
	if (err > ERR_LAST || answers[err].word == NULL)
		return &server_error;
	return &answers[err];
}

/* RFC 9449 7.1: where a token is presented, a proof is part of the credentials. */
static const struct oauth_answer no_proof = { 401, "invalid_dpop_proof", "DPoP", 0 };
static const struct oauth_answer no_nonce = { 401, "use_dpop_nonce", "DPoP", 0 };

static const struct oauth_answer *answer_here(const struct exchange *exchange, enum err err)
{
	bool is_resource = str_equals(exchange->request.path, STR("/userinfo"));

	if (is_resource && err == ERR_DPOP)
		return &no_proof;
	return is_resource && err == ERR_DPOP_NONCE ? &no_nonce : oauth_answer_of(err);
}

static char description_char(char c)
{
	if (c == '"' || c == '\\')
		return '\'';
	return c >= 0x20 && c < 0x7F ? c : '?';
}

struct str oauth_description(struct arena *arena, struct str reason)
{
	struct buf buf = buf_in(arena, DESCRIPTION_MAX);
	struct str text = STR("");

	for (size_t i = 0; i < reason.len && i < DESCRIPTION_MAX; i++)
		buf_add_char(&buf, description_char(reason.at[i]));
	return buf_finish(&buf, &text) == OK ? text : STR("");
}

/* What failed on our side stays on our side. */
static bool is_ours(enum err err)
{
	return oauth_answer_of(err)->status >= 500 && err != ERR_PAUSED;
}

static bool has_field(const struct exchange *exchange, struct str name)
{
	for (size_t i = 0; i < exchange->reply.field_count; i++)
		if (str_equals_nocase(exchange->reply.fields[i].name, name))
			return true;
	return false;
}

void oauth_retry_after(struct exchange *exchange, int64_t seconds)
{
	struct buf buf = buf_in(&exchange->task.arena, 32);
	struct str text = STR("1");

	if (seconds <= 0 || has_field(exchange, STR("Retry-After")))
		return;
	buf_add_i64(&buf, seconds);
	if (buf_finish(&buf, &text) == OK)
		reply_field(exchange, STR("Retry-After"), text);
}

void oauth_dpop_nonce(struct exchange *exchange)
{
	reply_field(exchange, STR("DPoP-Nonce"),
		    dpop_nonce(&exchange->task, oauth_authority(exchange)));
}

/* A reason that a program can read has a paragraph of its own on the page of errors. */
static struct str error_uri(struct exchange *exchange, struct str word, struct str description)
{
	struct str issuer = authority_config(oauth_authority(exchange))->issuer;

	return STR_JOIN(&exchange->task.arena, issuer, STR("/errors#"),
			reason_is_known(description) ? description : word);
}

/* In the scheme that was tried (RFC 9449 7.1), with what that scheme's clients look for. */
static struct str challenge_scheme(const struct exchange *exchange,
				   const struct oauth_answer *answer)
{
	struct str tried = request_field(&exchange->request, STR("Authorization"));

	if (str_equals(str_from_c(answer->scheme), STR("Bearer")) &&
	    str_equals_nocase(str_sub(tried, 0, 5), STR("DPoP ")))
		return STR("DPoP");
	return str_from_c(answer->scheme);
}

static void challenge(struct exchange *exchange, const struct oauth_answer *answer,
		      struct str description)
{
	struct arena *arena = &exchange->task.arena;
	struct str word = str_from_c(answer->word), scheme;
	bool is_dpop;

	if (answer->scheme == NULL)
		return;
	scheme = challenge_scheme(exchange, answer);
	is_dpop = str_equals(scheme, STR("DPoP"));
	if (str_equals(scheme, STR("Basic")))
		reply_field(exchange, STR("WWW-Authenticate"),
			    STR("Basic realm=\"grantd\", charset=\"UTF-8\""));
	else
		reply_field(
			exchange, STR("WWW-Authenticate"),
			STR_JOIN(arena, scheme, STR(" realm=\"grantd\", error=\""), word,
				 STR("\", error_description=\""), description,
				 is_dpop ? STR("\", algs=\"" DPOP_ALGORITHMS "\"") : STR("\"")));
}

static void write_refusal(struct exchange *exchange, const struct oauth_answer *answer,
			  struct str description)
{
	struct buf buf = buf_in(&exchange->task.arena, REFUSAL_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str word = str_from_c(answer->word), body = STR("{}");

	json_open_object(&json);
	json_member_str(&json, "error", word);
	if (!str_is_empty(description))
		json_member_str(&json, "error_description", description);
	json_member_str(&json, "error_uri", error_uri(exchange, word, description));
	json_close(&json);
	if (buf_finish(&buf, &body) != OK)
		body = STR("{\"error\":\"server_error\"}");
	reply_with(exchange, answer->status, STR("application/json"), body);
}

static void log_refusal(struct exchange *exchange, enum err err)
{
	struct task *task = &exchange->task;
	struct str path = str_from_c(exchange->route != NULL ? exchange->route->path : NULL);
	struct str name = str_from_c(err_name(err));

	if (is_ours(err))
		log_error(task, "oauth.failed", LOG_STR("endpoint", path), LOG_STR("error", name),
			  LOG_STR("reason", task->reason));
	else
		log_info(task, "oauth.refused", LOG_STR("endpoint", path), LOG_STR("error", name),
			 LOG_STR("reason", task->reason));
}

void oauth_refuse(struct exchange *exchange, enum err err)
{
	const struct oauth *oauth = oauth_of(exchange);
	const struct oauth_answer *answer = answer_here(exchange, err);
	struct str description = STR("");

	tally_refusal(&exchange->task, err);
	oauth_retry_after(exchange, answer->retry_after);
	if (str_equals(exchange->request.path, STR("/authorize"))) {
		oauth->config.error_page(exchange, err, STR_NONE, oauth->config.web);
		return;
	}
	log_refusal(exchange, err);
	if (!is_ours(err))
		description = oauth_description(&exchange->task.arena, exchange->task.reason);
	challenge(exchange, answer, description);
	if (err == ERR_DPOP_NONCE)
		oauth_dpop_nonce(exchange);
	write_refusal(exchange, answer, description);
}

void oauth_finish(struct exchange *exchange)
{
	if (!has_field(exchange, STR("Cache-Control")))
		reply_field(exchange, STR("Cache-Control"), STR("no-store"));
	if (!has_field(exchange, STR("X-Content-Type-Options")))
		reply_field(exchange, STR("X-Content-Type-Options"), STR("nosniff"));
}

enum err oauth_reply_json(struct exchange *exchange, struct buf *body)
{
	struct str text;

	TRY(buf_finish(body, &text));
	reply_with(exchange, 200, STR("application/json"), text);
	return OK;
}
