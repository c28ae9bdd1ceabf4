/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/issue.h"

#include <string.h>

#include "crypto/base64.h"
#include "crypto/random.h"
#include "store/derivations.h"

#define CLAIMS_MAX  (16 * 1024)
#define ID_TOKEN_MS (5 * MINUTE_MS)

struct str issue_purpose(struct arena *arena, const struct resource *resource)
{
	if (!resource->has_own_keys)
		return STR("access");
	return STR_JOIN(arena, STR("resource:"), resource->name);
}

static struct scope_set offered_by(struct task *task, const struct authority *authority,
				   const struct resource *resource)
{
	const struct resource *issuer = &authority->issuer_resource;
	size_t own = resource == NULL || resource == issuer ? 0 : resource->scope_count;
	struct str *names = NEW_ARRAY(&task->arena, struct str, own + issuer->scope_count);
	struct scope_set set = { .names = names };

	if (resource == NULL)
		return set;
	for (size_t i = 0; i < own; i++)
		names[set.count++] = resource->scopes[i].name;
	for (size_t i = 0; i < issuer->scope_count; i++)
		names[set.count++] = issuer->scopes[i].name;
	return set;
}

struct scope_set issue_offered(struct task *task, const struct authority *authority,
			       struct str resource_uri)
{
	return offered_by(task, authority, authority_resource(authority, resource_uri));
}

/* The configuration's: a resource's own, never over 900 s (checked when it was read). */
int64_t issue_lifetime(const struct authority *authority, const struct resource *resource)
{
	return resource->token_ms > 0 ? resource->token_ms
				      : authority_config(authority)->access_token_ms;
}

/* --- access tokens --- */

struct claims {
	struct str sub;
	struct str username; /* STR_NONE: the resource does not want it */
	struct str audience;
	struct str client_id;
	struct str scope;
	struct str details; /* JSON (RFC 9396 9); STR_NONE: none */
	struct str jkt;	    /* STR_NONE: a bearer token */
	int64_t expires_at;
	const struct standing *standing;       /* NULL: a client as itself */
	bool is_renewable;		       /* its family's refresh token goes with it */
	const struct refresh_token *presented; /* if it is ours; NULL: nobody presented one */
	const struct derivation *derivation;   /* NULL: not derived from another token */
	const struct act *act;		       /* with it: who has it */
};

static enum err spell_claims(struct task *task, const struct authority *authority,
			     const struct claims *claims, struct str jti, struct str *ret_text)
{
	struct buf buf = buf_in(&task->arena, CLAIMS_MAX);
	struct json_writer json = json_write_to(&buf);
	int64_t issued_at = claims->derivation == NULL ? task->now : claims->derivation->issued_at;

	json_open_object(&json);
	json_member_str(&json, "iss", authority_config(authority)->issuer);
	json_member_str(&json, "sub", claims->sub);
	if (claims->username.at != NULL)
		json_member_str(&json, "username", claims->username);
	json_member_str(&json, "aud", claims->audience);
	json_member_str(&json, "client_id", claims->client_id);
	json_member_str(&json, "scope", claims->scope);
	json_member_raw(&json, "authorization_details", claims->details);
	json_member_int(&json, "iat", issued_at / SECOND_MS);
	json_member_int(&json, "exp", claims->expires_at / SECOND_MS);
	json_member_str(&json, "jti", jti);
	if (claims->act != NULL)
		act_write(&json, &task->arena, claims->act);
	if (claims->standing != NULL) {
		const struct family *family = &claims->standing->family;

		json_member_int(&json, "auth_time", family->auth_time / SECOND_MS);
		json_member_str(&json, "acr", family->acr);
		json_member_str(&json, "grant_id", claims->standing->grant.id);
		json_member_str(&json, "family_id", family->id);
	}
	if (claims->jkt.at != NULL) { /* RFC 9449 6.1 */
		json_key(&json, "cnf");
		json_open_object(&json);
		json_member_str(&json, "jkt", claims->jkt);
		json_close(&json);
	}
	json_close(&json);
	return buf_finish(&buf, ret_text);
}

/* Tokens under way to and from the key holder. In task memory. */
struct issuing {
	struct token_answer answer;
	struct key_order order;
	struct key_issued issued;
	char refresh[REFRESH_BYTES]; /* with the order's tag */
	struct token_answer *ret_answer;
	then_fn *then;
	void *arg;
};

/* Both tokens of a family, for one question to the key holder. */
static void order_refresh(struct task *task, const struct claims *claims, struct issuing *issuing)
{
	const struct refresh_token *presented = claims->presented;
	const struct family *family = &claims->standing->family;
	struct key_order *order = &issuing->order;

	refresh_token_begin(issuing->refresh, family);
	order->wants_tag = true;
	order->root_number = family->root_number;
	order->seed = family->seed;
	order->input = refresh_token_input(&task->arena, family, issuing->refresh);
	issuing->answer.refresh_token_timeout = (family->idle_expires_at - task->now) / SECOND_MS;
	if (presented == NULL)
		return;
	order->presented_root = presented->root_number;
	order->presented_input = refresh_token_presented(&task->arena, family, presented);
	order->presented_tag = presented->tag;
}

static enum err order_tokens(struct task *task, const struct authority *authority,
			     const struct resource *resource, const struct claims *claims,
			     struct issuing *issuing)
{
	issuing->answer = (struct token_answer){
		.jti = claims->derivation == NULL ? random_id(&task->arena, "tok_")
						  : claims->derivation->key.jti,
		.scope = claims->scope,
		.details = claims->details,
		.expires_in = claims->expires_at / SECOND_MS - task->now / SECOND_MS,
		.access_expires_at = claims->expires_at,
		.authorization_expires_in = -1,
		.refresh_token_timeout = -1,
		.is_bound = claims->jkt.at != NULL,
	};
	issuing->order = (struct key_order){
		.purpose = issue_purpose(&task->arena, resource),
		.typ = resource->token_typ,
	};
	if (claims->is_renewable)
		order_refresh(task, claims, issuing);
	return spell_claims(task, authority, claims, issuing->answer.jti, &issuing->order.claims);
}

static enum err take_tokens(struct task *task, enum err result, struct issuing *issuing,
			    struct token_answer *ret_answer)
{
	if (result == ERR_TOKEN)
		return refresh_token_refuse(task);
	TRY(result);
	*ret_answer = issuing->answer;
	ret_answer->access_token = issuing->issued.jwt;
	if (!issuing->order.wants_tag)
		return OK;
	memcpy(issuing->refresh + REFRESH_FIELDS, issuing->issued.tag, SHA256_LEN);
	ret_answer->refresh_token = refresh_token_text(&task->arena, issuing->refresh);
	return OK;
}

static enum err issued(struct task *task, enum err result, void *arg)
{
	struct issuing *issuing = arg;

	result = take_tokens(task, result, issuing, issuing->ret_answer);
	return issuing->then(task, result, issuing->arg);
}

/* ERR_PARKED: `then` goes on. */
static enum err issue_with_others(struct task *task, const struct authority *authority,
				  struct issuing *issuing, struct token_answer *ret_answer,
				  then_fn *then, void *arg)
{
	enum err err;

	issuing->ret_answer = ret_answer;
	issuing->then = then;
	issuing->arg = arg;
	err = keys_issue_with_others(task, authority->keys, &issuing->order, &issuing->issued,
				     issued, issuing);
	return err == ERR_PARKED ? err : take_tokens(task, err, issuing, ret_answer);
}

enum err issue_refusal(struct task *task, const struct verdict *verdict)
{
	if (str_equals(verdict->reason, STR("paused")))
		return fail(task, ERR_PAUSED, "paused");
	if (str_equals(verdict->reason, STR("scope")))
		return fail(task, ERR_SCOPE, "nothing of this scope is granted");
	if (str_equals(verdict->reason, STR("authorization_details")))
		return fail(task, ERR_DETAILS,
			    "authorization_details: more than was granted, or than fits a token");
	if (str_equals(verdict->reason, STR("resource")))
		return fail(task, ERR_TARGET, "the resource is not the granted one");
	task_note(task, ERR_GRANT, verdict->reason);
	return ERR_GRANT;
}

/* What of it is asked beside the wish: claims are filled otherwise. */
static enum err order_under(struct task *task, const struct authority *authority,
			    const struct wish *wish, struct claims *claims, struct issuing *issuing)
{
	const struct standing *standing = claims->standing;
	const struct resource *resource = authority_resource(authority, wish->resource);
	struct verdict verdict = decide(&task->arena, standing, wish, task->now);

	if (verdict.decision == DECISION_DENY)
		return issue_refusal(task, &verdict);
	if (resource == NULL)
		return fail(task, ERR_TARGET, "the resource is gone");
	claims->sub = standing->user.id;
	claims->username = resource->names_user ? standing->user.username : STR_NONE;
	claims->audience = wish->resource;
	claims->client_id = claims->act == NULL ? standing->client.id
						: act_client(claims->act, standing->client.id);
	claims->scope = scope_text(&task->arena, verdict.scope);
	claims->details = details_print(&task->arena, &verdict.details);
	claims->jkt = wish->jkt;
	claims->expires_at = task->now + issue_lifetime(authority, resource);
	if (claims->expires_at > verdict.expires_at)
		claims->expires_at = verdict.expires_at;
	if (claims->derivation != NULL && claims->expires_at > claims->derivation->expires_at)
		claims->expires_at = claims->derivation->expires_at;
	TRY(order_tokens(task, authority, resource, claims, issuing));
	if (claims->derivation != NULL) /* with it no refresh token goes, which that is said with */
		issuing->answer.issued_token_type = STR(TOKEN_TYPE_ACCESS);
	else if (standing->grant.expires_at != NEVER)
		issuing->answer.authorization_expires_in =
			(standing->grant.expires_at - task->now) / SECOND_MS;
	return OK;
}

static struct claims claims_of(const struct issue_order *order)
{
	return (struct claims){
		.standing = order->standing,
		.is_renewable = order->is_renewable,
		.presented = order->presented,
		.derivation = order->derivation,
		.act = order->derivation == NULL ? NULL : &order->wish->delegation->act,
	};
}

enum err issue_tokens(struct task *task, const struct authority *authority,
		      const struct issue_order *order, struct token_answer *ret_answer)
{
	struct claims claims = claims_of(order);
	struct issuing issuing = { 0 };
	enum err err;

	TRY(order_under(task, authority, order->wish, &claims, &issuing));
	err = keys_issue(task, authority->keys, &issuing.order, &issuing.issued);
	return take_tokens(task, err, &issuing, ret_answer);
}

enum err issue_tokens_with_others(struct task *task, const struct authority *authority,
				  const struct issue_order *order, struct token_answer *ret_answer,
				  then_fn *then, void *arg)
{
	struct claims claims = claims_of(order);
	struct issuing *issuing = NEW(&task->arena, struct issuing);

	TRY(order_under(task, authority, order->wish, &claims, issuing));
	return issue_with_others(task, authority, issuing, ret_answer, then, arg);
}

enum err issue_client_token(struct task *task, const struct authority *authority,
			    const struct client_order *order, struct token_answer *ret_answer,
			    then_fn *then, void *arg)
{
	struct claims claims = {
		.sub = order->client->id,
		.audience = order->resource->uri,
		.client_id = order->client->id,
		.scope = scope_text(&task->arena, order->scope),
		.jkt = order->jkt,
		.expires_at = task->now + issue_lifetime(authority, order->resource),
	};
	struct issuing *issuing = NEW(&task->arena, struct issuing);

	TRY(order_tokens(task, authority, order->resource, &claims, issuing));
	return issue_with_others(task, authority, issuing, ret_answer, then, arg);
}

/* --- ID tokens --- */

/* OIDC Core 3.1.3.6: the left half of the hash of the access token. */
static struct str half_hash(struct arena *arena, struct str access_token)
{
	uint8_t digest[SHA256_LEN];

	sha256(access_token, digest);
	return base64url_encode(arena, (struct str){ (const char *)digest, SHA256_LEN / 2 });
}

enum err issue_id_token(struct task *task, const struct authority *authority,
			const struct standing *standing, struct str nonce, struct str access_token,
			struct str *ret_token)
{
	struct buf buf = buf_in(&task->arena, CLAIMS_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str claims;

	json_open_object(&json);
	json_member_str(&json, "iss", authority_config(authority)->issuer);
	json_member_str(&json, "sub", standing->user.id);
	json_member_str(&json, "aud", standing->client.id);
	json_member_int(&json, "iat", task->now / SECOND_MS);
	json_member_int(&json, "exp", (task->now + ID_TOKEN_MS) / SECOND_MS);
	json_member_int(&json, "auth_time", standing->family.auth_time / SECOND_MS);
	json_member_str(&json, "acr", standing->family.acr);
	json_key(&json, "amr");
	json_open_array(&json);
	json_add_str(&json, STR("pwd"));
	json_close(&json);
	if (nonce.at != NULL)
		json_member_str(&json, "nonce", nonce);
	json_member_str(&json, "at_hash", half_hash(&task->arena, access_token));
	json_close(&json);
	TRY(buf_finish(&buf, &claims));
	return keys_sign_jwt(task, authority->keys, STR("id"), STR("JWT"), claims, ret_token);
}

/* --- signed introspection --- */

enum err issue_introspection(struct task *task, const struct authority *authority,
			     struct str audience, struct str answer, struct str *ret_jwt)
{
	struct buf buf = buf_in(&task->arena, CLAIMS_MAX);
	struct json_writer json = json_write_to(&buf);
	struct str claims;

	json_open_object(&json);
	json_member_str(&json, "iss", authority_config(authority)->issuer);
	json_member_str(&json, "aud", audience);
	json_member_int(&json, "iat", task->now / SECOND_MS);
	json_key(&json, "token_introspection");
	json_add_raw(&json, answer);
	json_close(&json);
	TRY(buf_finish(&buf, &claims));
	/* RS256, which is what a caller expects that registered nothing (RFC 9701 6) */
	return keys_sign_jwt(task, authority->keys, STR("id"), STR("token-introspection+jwt"),
			     claims, ret_jwt);
}
