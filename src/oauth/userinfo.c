/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/people.h"
#include "authority/single_use.h"
#include "authority/verify.h"
#include "base/json.h"
#include "oauth/endpoints.h"
#include "oauth/proof.h"
#include "oauth/reply.h"

/* How the token came. */
struct presented {
	struct str token;
	bool is_dpop; /* the scheme */
	struct access access;
	struct str email; /* "" when it is none of the caller's business, or there is none */
	struct single_use single_use;
};

/* RFC 6750 3.1: no error code for who sent no credentials. */
static enum err ask_for_token(struct exchange *exchange)
{
	reply_field(exchange, STR("WWW-Authenticate"), STR("Bearer realm=\"grantd\""));
	reply_field(exchange, STR("WWW-Authenticate"),
		    STR("DPoP realm=\"grantd\", algs=\"" DPOP_ALGORITHMS "\""));
	reply_with(exchange, 401, STR_NONE, STR_NONE);
	return OK;
}

static struct str token_of(struct str value, struct str scheme)
{
	if (!str_equals_nocase(str_sub(value, 0, scheme.len), scheme))
		return STR_NONE;
	return str_trim(str_from(value, scheme.len));
}

/* OAuth 2.1 5.1: the header is the only place. No token when its scheme is neither of the two. */
static void read_token(const struct request *request, struct presented *presented)
{
	struct str value = request_field(request, STR("Authorization"));

	presented->token = token_of(value, STR("DPoP "));
	presented->is_dpop = presented->token.at != NULL;
	if (!presented->is_dpop)
		presented->token = token_of(value, STR("Bearer "));
}

/* RFC 9449 7.1, 7.2: a bound token comes with a proof by its own key, and no other way. */
static enum err check_binding(struct exchange *exchange, struct presented *presented)
{
	struct task *task = &exchange->task;
	struct str jkt = presented->access.jkt;
	struct dpop dpop;

	if (!presented->is_dpop && jkt.at == NULL)
		return OK;
	if (!presented->is_dpop)
		return fail(task, ERR_TOKEN, "the token is bound to a key: use the scheme DPoP");
	if (jkt.at == NULL)
		return fail(task, ERR_TOKEN, "the token is not bound to a key: use Bearer");
	TRY(oauth_proof(exchange, presented->token, &dpop));
	if (dpop.jkt.at == NULL)
		return fail(task, ERR_DPOP, "the DPoP header is missing");
	if (!str_equals(dpop.jkt, jkt))
		return fail(task, ERR_TOKEN, "the proof is by another key than the token's");
	presented->single_use.proof = dpop.spent;
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

/* Before the task may park: afterwards nothing reads the store. */
static enum err find_email(struct exchange *exchange, struct presented *presented)
{
	presented->email = STR("");
	if (!scope_has(presented->access.scope, STR("email")))
		return OK;
	return user_email_of(&exchange->task, oauth_authority(exchange), presented->access.sub,
			     &presented->email);
}

/* OpenID Connect Core 5.4. Nobody proved the address yet, and the answer says so. */
static enum err write_claims(struct exchange *exchange, const struct presented *presented)
{
	const struct access *access = &presented->access;
	struct buf buf = buf_in(&exchange->task.arena, OAUTH_REPLY_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "sub", access->sub);
	if (scope_has(access->scope, STR("profile")))
		json_member_str(&json, "preferred_username", access->username);
	if (!str_is_empty(presented->email)) {
		json_member_str(&json, "email", presented->email);
		json_member_bool(&json, "email_verified", false);
	}
	json_close(&json);
	return oauth_reply_json(exchange, &buf);
}

/* Once the proof is spent. */
static enum err answer_claims(struct task *task, enum err result, void *arg)
{
	const struct presented *presented = arg;

	TRY(result);
	return write_claims(exchange_of(task), presented);
}

enum err oauth_userinfo(struct exchange *exchange)
{
	struct task *task = &exchange->task;
	struct presented *presented = NEW(&task->arena, struct presented);
	const struct authority *authority = oauth_authority(exchange);

	if (request_field_count(&exchange->request, STR("Authorization")) > 1)
		return fail(task, ERR_REQUEST, "more than one Authorization header");
	read_token(&exchange->request, presented);
	if (str_is_empty(presented->token))
		return ask_for_token(exchange);
	TRY(access_token_verify(task, authority, presented->token, &presented->access));
	TRY(check_binding(exchange, presented));
	TRY(check_access(exchange, &presented->access));
	TRY(find_email(exchange, presented));
	if (single_use_is_empty(&presented->single_use))
		return answer_claims(task, OK, presented);
	return single_use_submit(task, authority, &presented->single_use, answer_claims, presented);
}
