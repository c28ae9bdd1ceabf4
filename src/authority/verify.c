/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/verify.h"

#include "authority/delegation.h"
#include "authority/issue.h"
#include "authority/verified.h"
#include "crypto/jws.h"
#include "store/clients.h"
#include "store/families.h"

#define SKEW_MS (10 * SECOND_MS)

static struct str text_claim(struct task *task, const json_t *members, const char *name)
{
	struct str value = json_get_str(members, name);

	return value.at == NULL ? STR_NONE : str_copy(&task->arena, value);
}

static bool time_claim(const json_t *members, const char *name, int64_t *ret_ms)
{
	const json_t *value = json_object_get(members, name);
	json_int_t seconds = json_integer_value(value);

	if (!json_is_integer(value) || seconds < 0 || seconds > INT64_MAX / SECOND_MS)
		return false;
	*ret_ms = seconds * SECOND_MS;
	return true;
}

/* Absent is *ret_ms unchanged; present must be a time. */
static bool optional_time(const json_t *members, const char *name, int64_t *ret_ms)
{
	return json_object_get(members, name) == NULL || time_claim(members, name, ret_ms);
}

static enum err take_claims(struct task *task, const struct authority *authority,
			    const json_t *members, struct token_claims *ret_claims)
{
	struct token_claims claims = {
		.jti = text_claim(task, members, "jti"),
		.client_id = text_claim(task, members, "client_id"),
		.sub = text_claim(task, members, "sub"),
		.audience = text_claim(task, members, "aud"),
		.grant_id = text_claim(task, members, "grant_id"),
		.family_id = text_claim(task, members, "family_id"),
		.acr = text_claim(task, members, "acr"),
		.scope = text_claim(task, members, "scope"),
		.jkt = text_claim(task, json_object_get(members, "cnf"), "jkt"),
	};
	const json_t *details = json_object_get(members, "authorization_details");
	struct act act;

	TRY(act_read(task, json_object_get(members, "act"), &act));
	claims.act = act_text(&task->arena, &act);
	if (details != NULL)
		TRY(json_print(task, details, DETAILS_KEPT_MAX, &claims.details));

	if (!str_equals(json_get_str(members, "iss"), authority_config(authority)->issuer) ||
	    (json_object_get(members, "cnf") != NULL && claims.jkt.at == NULL) ||
	    claims.jti.at == NULL || claims.client_id.at == NULL || claims.sub.at == NULL ||
	    !time_claim(members, "iat", &claims.issued_at) ||
	    !time_claim(members, "exp", &claims.expires_at) ||
	    !optional_time(members, "nbf", &claims.not_before) ||
	    !optional_time(members, "auth_time", &claims.auth_time))
		return fail(task, ERR_TOKEN, "the token's claims are not ours");
	*ret_claims = claims;
	return OK;
}

/* Signature by one of our keys, typ and key set as the token's audience wants them. */
static enum err check_signature(struct task *task, const struct authority *authority,
				struct str token, struct token_claims *ret_claims)
{
	CLEANUP(json_unref) json_t *members = NULL;
	const struct resource *resource;
	struct str purpose, typ = STR("at+jwt");
	enum err err = keys_verify_jwt(task, authority->keys, token, typ, &members, &purpose);

	if (err == ERR_TOKEN) {
		typ = STR("JWT");
		err = keys_verify_jwt(task, authority->keys, token, typ, &members, &purpose);
	}
	TRY(err);
	resource = authority_resource(authority, json_get_str(members, "aud"));
	if (resource == NULL || !str_equals(typ, resource->token_typ) ||
	    !str_equals(purpose, issue_purpose(&task->arena, resource)))
		return fail(task, ERR_TOKEN, "the token is not an access token of this server");
	return take_claims(task, authority, members, ret_claims);
}

static enum err read_claims(struct task *task, const struct authority *authority, struct str token,
			    struct token_claims *ret_claims)
{
	uint64_t round = verified_round(authority->verified);
	uint8_t digest[SHA256_LEN];

	if (token.len > JWS_MAX)
		return fail(task, ERR_TOKEN, "the token is too long");
	TRY(keys_check(task, authority->keys)); /* it may have ended what signed it */
	sha256(token, digest);
	if (verified_find(authority->verified, digest, task->now, &task->arena, ret_claims))
		return OK;
	TRY(check_signature(task, authority, token, ret_claims));
	verified_add(authority->verified, digest, task->now, ret_claims, round);
	return OK;
}

static enum err deny(struct task *task, struct str reason)
{
	enum err err = str_equals(reason, STR("paused")) ? ERR_PAUSED : ERR_TOKEN;

	task_note(task, err, reason);
	return err;
}

/* A token of a person's grant: every name in it must be the row's own. */
static enum err judge_granted(struct task *task, const struct authority *authority, struct db *db,
			      struct access *access)
{
	struct standing *standing = &access->standing;
	struct verdict verdict;
	struct wish wish = {
		.scope = access->scope,
		.narrow = true,
		.resource = access->audience,
		.offered = issue_offered(task, authority, access->audience),
		.target = authority_resource(authority, access->audience),
		.token_scope = access->scope,
		.token_details = access->details,
		.has_token = true,
		.token_issued_at = access->issued_at,
	};
	enum err err = standing_find_by_family(task, db, access->family_id, standing);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_TOKEN, "the token's grant is gone");
	TRY(err);
	if (!str_equals(standing->grant.id, access->grant_id) ||
	    !str_equals(standing->user.id, access->sub) ||
	    !str_equals(act_client(&access->act, standing->client.id), access->client_id))
		return fail(task, ERR_TOKEN, "the token does not fit its grant");
	if (access->act.depth > 0)
		TRY(delegation_find(task, db, access, &access->delegation));
	wish.delegation = access->delegation;
	verdict = decide(&task->arena, standing, &wish, task->now);
	if (verdict.decision == DECISION_DENY)
		return deny(task, verdict.reason);
	access->username = standing->user.username;
	access->scope = verdict.scope;
	access->details = verdict.details;
	return OK;
}

static enum err judge_client(struct task *task, const struct authority *authority, struct db *db,
			     struct access *access)
{
	const struct resource *resource = authority_resource(authority, access->audience);
	struct str *names = NEW_ARRAY(&task->arena, struct str, access->scope.count);
	struct scope_set live = { .names = names };
	struct client client = { 0 };
	enum err err = client_find(task, db, access->client_id, &client);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_TOKEN, "the client is gone");
	TRY(err);
	if (client.status != CLIENT_ACTIVE || access->issued_at <= client.not_before)
		return deny(task, STR("client_disabled"));
	if (resource == NULL || !str_equals(access->sub, client.id) ||
	    !client_allows(&client, GRANT_CLIENT_CREDENTIALS))
		return fail(task, ERR_TOKEN, "the token is not the client's any more");
	for (size_t i = 0; i < access->scope.count; i++) {
		const struct resource_scope *scope = resource_find_scope(resource,
									 access->scope.names[i]);

		if (scope != NULL && scope->for_clients &&
		    (client.scope.count == 0 || scope_has(client.scope, scope->name)))
			names[live.count++] = scope->name;
	}
	if (live.count == 0)
		return deny(task, STR("scope"));
	access->scope = live;
	access->standing.client = client;
	return OK;
}

enum err access_token_read(struct task *task, const struct authority *authority, struct str token,
			   struct access *ret_access)
{
	struct token_claims claims;
	struct scope_set scope;
	struct details details;
	struct act act;

	TRY(read_claims(task, authority, token, &claims));
	if (claims.expires_at <= task->now || claims.issued_at > task->now + SKEW_MS ||
	    claims.not_before > task->now + SKEW_MS)
		return fail(task, ERR_TOKEN, "the token is out of its time");
	TRY(scope_parse(task, claims.scope, &scope));
	TRY(act_parse(task, claims.act, &act));
	if (details_read(task, claims.details, &details) != OK)
		return ERR_TOKEN; /* the reason is noted */
	*ret_access = (struct access){
		.jti = claims.jti,
		.client_id = claims.client_id,
		.sub = claims.sub,
		.audience = claims.audience,
		.grant_id = claims.grant_id,
		.family_id = claims.family_id,
		.acr = claims.acr,
		.jkt = claims.jkt,
		.issued_at = claims.issued_at,
		.expires_at = claims.expires_at,
		.auth_time = claims.auth_time,
		.scope = scope,
		.details = details,
		.act = act,
	};
	return OK;
}

enum err access_token_verify(struct task *task, const struct authority *authority, struct str token,
			     struct access *ret_access)
{
	struct access *access = NEW(&task->arena, struct access);
	struct db *db = NULL;

	TRY(access_token_read(task, authority, token, access));
	TRY(store_reader(task, authority->store, &db));
	if (access->family_id.at != NULL)
		TRY(judge_granted(task, authority, db, access));
	else
		TRY(judge_client(task, authority, db, access));
	*ret_access = *access;
	return OK;
}
