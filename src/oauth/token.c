/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/token.h"

#include "base/json.h"
#include "base/tally.h"
#include "oauth/credentials.h"
#include "oauth/endpoints.h"
#include "oauth/parameters.h"
#include "oauth/proof.h"
#include "oauth/reply.h"

struct grant_handler {
	struct str name;
	enum err (*run)(struct task *task, const struct authority *authority,
			struct token_wish *wish, then_fn *then);
	enum tally_name counted;
};

struct asked {
	struct token_wish wish; /* first: what the rules hand on */
	const struct grant_handler *handler;
};

static const struct grant_handler handlers[] = {
	{ STR_INIT("authorization_code"), token_redeem_code, TALLY_TOKENS_FOR_CODE },
	{ STR_INIT("refresh_token"), token_refresh, TALLY_TOKENS_FOR_REFRESH },
	{ STR_INIT("client_credentials"), token_client_credentials, TALLY_TOKENS_FOR_CLIENT },
	{ STR_INIT(TOKEN_EXCHANGE), token_exchange, TALLY_TOKENS_FOR_EXCHANGE },
	{ STR_INIT(DEVICE_CODE), token_poll_device, TALLY_TOKENS_FOR_DEVICE },
};

static enum err find_handler(struct task *task, const struct form *form,
			     const struct grant_handler **ret_handler)
{
	struct str name = form_get(form, "grant_type");

	if (name.at == NULL)
		return fail(task, ERR_REQUEST, "grant_type is missing");
	for (size_t i = 0; i < COUNT_OF(handlers); i++) {
		if (str_equals(name, handlers[i].name)) {
			*ret_handler = &handlers[i];
			return OK;
		}
	}
	return fail(task, ERR_GRANT_TYPE, "no such grant type here");
}

static void write_optional(struct json_writer *json, const char *key, struct str value)
{
	if (value.at != NULL)
		json_member_str(json, key, value);
}

/* RFC 6749 5.1, RFC 9396 7, draft-ietf-oauth-refresh-token-expiration */
static enum err write_answer(struct exchange *exchange, const struct token_answer *answer)
{
	struct buf buf = buf_in(&exchange->task.arena, OAUTH_REPLY_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "access_token", answer->access_token);
	write_optional(&json, "issued_token_type", answer->issued_token_type);
	json_member_str(&json, "token_type", answer->is_bound ? STR("DPoP") : STR("Bearer"));
	json_member_int(&json, "expires_in", answer->expires_in);
	json_member_str(&json, "scope", answer->scope);
	json_member_raw(&json, "authorization_details", answer->details);
	write_optional(&json, "refresh_token", answer->refresh_token);
	write_optional(&json, "id_token", answer->id_token);
	if (answer->authorization_expires_in >= 0)
		json_member_int(&json, "authorization_expires_in",
				answer->authorization_expires_in);
	if (answer->refresh_token.at != NULL && answer->refresh_token_timeout >= 0)
		json_member_int(&json, "refresh_token_timeout", answer->refresh_token_timeout);
	json_close(&json);
	return oauth_reply_json(exchange, &buf);
}

static enum err refuse(struct task *task, enum err result, void *arg)
{
	const struct token_wish *wish = arg;

	oauth_retry_after(exchange_of(task), wish->retry_after);
	if (result == ERR_GRANT && !str_is_empty(wish->reason))
		task_note(task, ERR_GRANT, wish->reason);
	return result;
}

/* The step after the commit, and the way out of a refusal before it. */
static enum err answer_wish(struct task *task, enum err result, void *arg)
{
	struct exchange *exchange = exchange_of(task);
	struct asked *asked = arg;
	struct token_wish *wish = &asked->wish;

	if (result == OK) {
		tally_add(task, asked->handler->counted);
		task_tag(task, "jti", wish->answer.jti);
		return write_answer(exchange, &wish->answer);
	}
	if (wish->is_spent)
		return refuse(task, result, wish);
	return single_use_refuse(task, oauth_authority(exchange), &wish->single_use, result, refuse,
				 wish);
}

static enum err read_wish(struct exchange *exchange, const struct form *form,
			  struct token_wish *wish)
{
	*wish = (struct token_wish){
		.code = form_get(form, "code"),
		.code_verifier = form_get(form, "code_verifier"),
		.redirect_uri = form_get(form, "redirect_uri"),
		.refresh_token = form_get(form, "refresh_token"),
		.device_code = form_get(form, "device_code"),
		.scope = form_get(form, "scope"),
		.details = form_get(form, "authorization_details"),
		.subject_token = form_get(form, "subject_token"),
		.subject_token_type = form_get(form, "subject_token_type"),
		.actor_token = form_get(form, "actor_token"),
		.actor_token_type = form_get(form, "actor_token_type"),
		.requested_token_type = form_get(form, "requested_token_type"),
		.audience = form_get(form, "audience"),
		.actor_label = form_get(form, "actor_label"),
		.source = exchange->request.peer.address,
		.request_id = exchange->request_id,
		/* client_credentials has neither; authority says otherwise where it knows */
		.answer = { .authorization_expires_in = -1, .refresh_token_timeout = -1 },
	};
	return parameters_resource(&exchange->task, form, &wish->resource);
}

static enum err take_proof(struct exchange *exchange, struct token_wish *wish)
{
	struct dpop dpop;

	TRY(oauth_proof(exchange, STR_NONE, &dpop));
	wish->jkt = dpop.jkt;
	wish->single_use.proof = dpop.spent;
	return OK;
}

enum err oauth_token(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct asked *asked = NEW(&task->arena, struct asked);
	struct token_wish *wish = &asked->wish;
	struct form form;
	enum err err;

	TRY(parameters_read(exchange, &form));
	TRY(find_handler(task, &form, &asked->handler));
	TRY(read_wish(exchange, &form, wish));
	TRY(oauth_client(exchange, &form, &wish->client, &wish->single_use));
	err = take_proof(exchange, wish);
	if (err == OK)
		err = asked->handler->run(task, oauth_authority(exchange), wish, answer_wish);
	return err == ERR_PARKED ? ERR_PARKED : answer_wish(task, err, asked);
}
