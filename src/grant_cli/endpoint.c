/* SPDX-License-Identifier: Apache-2.0 */
#include "grant_cli/endpoint.h"

#include "base/json.h"
#include "base/task.h"
#include "grant_cli/prove.h"
#include "http/client.h"

#define ANSWER_MAX  (64 * 1024)
#define FORM_MAX    (32 * 1024)
#define TIMEOUT_MS  10000
#define LIFE_MAX    (INT64_C(100) * 366 * 86400) /* seconds; what is longer is taken for this */
#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

#define ADDRESS_CHARS TOKEN_CHARS ":?#[]@!$&'()*,;%"

/* The words of error_description that a program can read, and what they mean to a person. */
static const struct {
	const char *word;
	const char *meaning;
} reasons[] = {
	{ "expired", "the time it was allowed for is over" },
	{ "idle", "it was not used for too long" },
	{ "revoked_by_user", "the person who allowed it has revoked it" },
	{ "revoked_by_operator", "the operator has revoked it" },
	{ "revoked_by_client", "it was logged out" },
	{ "reused", "an old refresh token was used again, so a copy of it may be in other hands" },
	{ "code_reused", "its code was used before, so a copy of it may be in other hands" },
	{ "proof_missing", "it is bound to a key that is not here" },
	{ "other_key", "it is bound to another key than the one here" },
	{ "user_disabled", "the person's account is disabled" },
	{ "client_disabled", "the operator has disabled this client" },
};

/* RFC 8628 3.5 */
static const struct {
	const char *word;
	enum err err;
	const char *meaning;
} device_words[] = {
	{ "authorization_pending", ERR_PENDING, "the person has not answered yet" },
	{ "slow_down", ERR_SLOW_DOWN, "asked too soon" },
	{ "access_denied", ERR_DENIED, "the person said no" },
	{ "expired_token", ERR_EXPIRED, "nobody answered in time; start again" },
};

static enum err post_form(struct task *task, const struct endpoint *endpoint, struct str form,
			  struct str nonce, struct http_answer *ret_answer)
{
	struct str fields[3] = {
		STR("Content-Type: application/x-www-form-urlencoded"),
		STR("Accept: application/json"),
	};
	const struct proof_wish proof = { .method = STR("POST"),
					  .url = endpoint->url,
					  .nonce = nonce };
	struct http_call call = { .method = STR("POST"),
				  .url = endpoint->url,
				  .ca_file = endpoint->ca_file,
				  .fields = fields,
				  .field_count = 2,
				  .body = form,
				  .answer_max = ANSWER_MAX,
				  .timeout_ms = TIMEOUT_MS };

	if (endpoint->dpop_key.at != NULL)
		TRY(prove_line(task, endpoint->dpop_key, &proof, &fields[call.field_count++]));
	return http_client_call(task, &call, ret_answer);
}

/* Once more when the server wants its nonce signed (RFC 9449 8): nothing was used up by then. */
static enum err post(struct task *task, const struct endpoint *endpoint,
		     const struct parameter *parameters, size_t count,
		     struct http_answer *ret_answer)
{
	struct buf text = buf_in(&task->arena, FORM_MAX);
	struct http_answer answer;
	struct str form, nonce;

	parameters_add(&text, parameters, count);
	TRY(buf_finish(&text, &form));
	TRY(post_form(task, endpoint, form, STR_NONE, &answer));
	nonce = http_answer_field(&answer, STR("DPoP-Nonce"));
	if (answer.status == 400 && endpoint->dpop_key.at != NULL && nonce.at != NULL)
		TRY(post_form(task, endpoint, form, nonce, &answer));
	*ret_answer = answer;
	return OK;
}

static const char *meaning_of(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (str_equals(word, str_from_c(reasons[i].word)))
			return reasons[i].meaning;
	}
	return NULL;
}

static enum err refuse(struct task *task, enum err err, const char *what, struct str error,
		       struct str description)
{
	const char *meaning = meaning_of(description);

	if (description.at == NULL)
		return failf(task, err, "%s (%.*s)", what, STR_FMT(error));
	if (meaning != NULL)
		return failf(task, err, "%s: %s (%.*s, %.*s)", what, meaning, STR_FMT(error),
			     STR_FMT(description));
	return failf(task, err, "%s (%.*s: %.*s)", what, STR_FMT(error), STR_FMT(description));
}

/* What the server's refusal means here. */
static enum err judge_refusal(struct task *task, const struct http_answer *answer)
{
	CLEANUP(json_unref) json_t *object = NULL;
	struct str error, description;

	if (json_parse(task, answer->body, ANSWER_MAX, &object) != OK)
		task_forgive(task);
	error = json_get_str(object, "error");
	description = json_get_str(object, "error_description");
	if (error.at == NULL)
		error = str_printf(&task->arena, "HTTP status %u", answer->status);
	/* 429 has that word too, and nobody paused anything */
	if (answer->status != 429 && str_equals(error, STR("temporarily_unavailable")))
		return refuse(task, ERR_PAUSED,
			      "stopped for now, by the person or the operator; what you have is "
			      "kept, try again later",
			      error, description);
	if (answer->status == 429 || answer->status >= 500)
		return refuse(task, ERR_BUSY,
			      "the server cannot answer just now; what you have is kept, try again",
			      error, description);
	if (str_equals(error, STR("invalid_grant")))
		return refuse(task, ERR_GRANT, "the server ended this log-in", error, description);
	for (size_t i = 0; i < COUNT_OF(device_words); i++)
		if (str_equals(error, str_from_c(device_words[i].word)))
			return failf(task, device_words[i].err, "%s (%s)", device_words[i].meaning,
				     device_words[i].word);
	return refuse(task, ERR_FORBIDDEN, "the server refuses", error, description);
}

/* A number of seconds from now as a time; 0 when absent. */
static int64_t time_from(struct task *task, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	json_int_t seconds = json_integer_value(value);

	if (!json_is_integer(value) || seconds < 0)
		return 0;
	return task->now + (seconds > LIFE_MAX ? LIFE_MAX : seconds) * SECOND_MS;
}

static struct str copy_member(struct task *task, const json_t *object, const char *key)
{
	struct str value = json_get_str(object, key);

	return value.at == NULL ? STR_NONE : str_copy(&task->arena, value);
}

/* Posts, and answers what a 200 has; the caller owns it. */
static enum err ask(struct task *task, const struct endpoint *endpoint,
		    const struct parameter *parameters, size_t count, json_t **ret_object)
{
	struct http_answer answer;

	TRY(post(task, endpoint, parameters, count, &answer));
	if (answer.status != 200)
		return judge_refusal(task, &answer);
	return json_parse(task, answer.body, ANSWER_MAX, ret_object);
}

enum err endpoint_tokens(struct task *task, const struct endpoint *endpoint,
			 const struct parameter *parameters, size_t count,
			 struct tokens *ret_tokens)
{
	CLEANUP(json_unref) json_t *object = NULL;
	struct tokens tokens = { 0 };

	TRY(ask(task, endpoint, parameters, count, &object));
	tokens.access_token = copy_member(task, object, "access_token");
	tokens.refresh_token = copy_member(task, object, "refresh_token");
	tokens.scope = copy_member(task, object, "scope");
	tokens.expires_at = time_from(task, object, "expires_in");
	tokens.grant_expires_at = time_from(task, object, "authorization_expires_in");
	tokens.token_type = copy_member(task, object, "token_type");
	if (!str_equals_nocase(tokens.token_type, STR("Bearer")) &&
	    (endpoint->dpop_key.at == NULL || !login_type_is_dpop(tokens.token_type)))
		return fail(task, ERR_FORBIDDEN, "the server's token is of a type not asked for");
	/* it goes to a terminal and into header fields */
	if (tokens.access_token.len == 0 || !str_only(tokens.access_token, TOKEN_CHARS))
		return fail(task, ERR_FORBIDDEN, "the server's answer has no usable access token");
	*ret_tokens = tokens;
	return OK;
}

enum err endpoint_device(struct task *task, const struct endpoint *endpoint,
			 const struct parameter *parameters, size_t count,
			 struct device_answer *ret_answer)
{
	CLEANUP(json_unref) json_t *object = NULL;
	struct device_answer device = { 0 };

	TRY(ask(task, endpoint, parameters, count, &object));
	device.device_code = copy_member(task, object, "device_code");
	device.user_code = copy_member(task, object, "user_code");
	device.verification_uri = copy_member(task, object, "verification_uri");
	device.verification_uri_complete = copy_member(task, object, "verification_uri_complete");
	device.expires_in = json_integer_value(json_object_get(object, "expires_in"));
	device.interval = json_integer_value(json_object_get(object, "interval"));
	if (device.interval <= 0)
		device.interval = 5; /* RFC 8628 3.2 */
	if (device.device_code.len == 0 || device.user_code.len == 0 ||
	    device.verification_uri.len == 0 || device.expires_in <= 0 ||
	    device.expires_in > LIFE_MAX || !str_only(device.user_code, TOKEN_CHARS " ") ||
	    !str_only(device.verification_uri, ADDRESS_CHARS) ||
	    !str_only(device.verification_uri_complete, ADDRESS_CHARS))
		return fail(task, ERR_FORBIDDEN, "the server's answer has no usable code");
	*ret_answer = device;
	return OK;
}

enum err endpoint_revoke(struct task *task, const struct endpoint *endpoint, struct str client_id,
			 struct str token)
{
	const struct parameter parameters[] = {
		{ "token", token },
		{ "token_type_hint", STR("refresh_token") },
		{ "client_id", client_id },
	};
	struct http_answer answer;

	TRY(post(task, endpoint, parameters, COUNT_OF(parameters), &answer));
	if (answer.status != 200)
		return judge_refusal(task, &answer);
	return OK;
}
