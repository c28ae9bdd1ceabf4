/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/verify.h"

#include "authority/issue.h"
#include "authority/verified.h"
#include "crypto/jws.h"
#include "store/clients.h"
#include "store/families.h"

#define SKEW_MS	   (10 * SECOND_MS)
#define CLAIMS_MAX (16 * 1024)

/* The claims of a token whose signature was checked a moment ago. */
static enum err read_claims(struct task *task, struct str token, json_t **ret_claims)
{
	struct jws jws = { 0 };
	enum err err;

	TRY(jws_parse(task, token, false, &jws));
	err = json_parse(task, jws.payload, CLAIMS_MAX, ret_claims);
	jws_free(&jws);
	return err == OK ? OK : fail(task, ERR_TOKEN, "the token's claims are malformed");
}

/* Signature by one of our keys, typ and key set as the token's audience wants them. */
static enum err check_signature(struct task *task, const struct authority *authority,
				struct str token, json_t **ret_claims)
{
	CLEANUP(json_unref) json_t *claims = NULL;
	const struct resource *resource;
	uint8_t digest[SHA256_LEN];
	struct str purpose;
	enum err err;

	if (token.len > JWS_MAX)
		return fail(task, ERR_TOKEN, "the token is too long");
	sha256(token, digest);
	if (verified_has(authority->verified, digest, task->now))
		return read_claims(task, token, ret_claims);
	err = keys_verify_jwt(task, authority->keys, token, STR("at+jwt"), &claims, &purpose);
	if (err == ERR_TOKEN)
		err = keys_verify_jwt(task, authority->keys, token, STR("JWT"), &claims, &purpose);
	TRY(err);
	resource = authority_resource(authority, json_get_str(claims, "aud"));
	if (resource == NULL || !str_equals(purpose, issue_purpose(&task->arena, resource)))
		return fail(task, ERR_TOKEN, "the token is not an access token of this server");
	verified_add(authority->verified, digest, task->now);
	*ret_claims = claims;
	claims = NULL;
	return OK;
}

static struct str claim(struct task *task, const json_t *claims, const char *name)
{
	struct str value = json_get_str(claims, name);

	return value.at == NULL ? STR_NONE : str_copy(&task->arena, value);
}

static bool time_claim(const json_t *claims, const char *name, int64_t *ret_ms)
{
	const json_t *value = json_object_get(claims, name);
	json_int_t seconds = json_integer_value(value);

	if (!json_is_integer(value) || seconds < 0 || seconds > INT64_MAX / SECOND_MS)
		return false;
	*ret_ms = seconds * SECOND_MS;
	return true;
}

static enum err take_claims(struct task *task, const struct authority *authority,
			    const json_t *claims, struct access *access)
{
	access->jti = claim(task, claims, "jti");
	access->client_id = claim(task, claims, "client_id");
	access->sub = claim(task, claims, "sub");
	access->audience = claim(task, claims, "aud");
	access->grant_id = claim(task, claims, "grant_id");
	access->family_id = claim(task, claims, "family_id");
	access->acr = claim(task, claims, "acr");
	if (!str_equals(json_get_str(claims, "iss"), authority_config(authority)->issuer) ||
	    access->jti.at == NULL || access->client_id.at == NULL || access->sub.at == NULL ||
	    !time_claim(claims, "iat", &access->issued_at) ||
	    !time_claim(claims, "exp", &access->expires_at))
		return fail(task, ERR_TOKEN, "the token's claims are not ours");
	if (!time_claim(claims, "auth_time", &access->auth_time))
		access->auth_time = 0;
	if (access->expires_at <= task->now || access->issued_at > task->now + SKEW_MS)
		return fail(task, ERR_TOKEN, "the token is out of its time");
	return scope_parse(task, claim(task, claims, "scope"), &access->scope);
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
		.token_scope = access->scope,
		.has_token = true,
		.token_issued_at = access->issued_at,
	};
	enum err err = standing_find_by_family(task, db, access->family_id, standing);

	if (err == ERR_NOT_FOUND)
		return fail(task, ERR_TOKEN, "the token's grant is gone");
	TRY(err);
	if (!str_equals(standing->grant.id, access->grant_id) ||
	    !str_equals(standing->user.id, access->sub) ||
	    !str_equals(standing->client.id, access->client_id))
		return fail(task, ERR_TOKEN, "the token does not fit its grant");
	verdict = decide(&task->arena, standing, &wish, task->now);
	if (verdict.decision == DECISION_DENY)
		return deny(task, verdict.reason);
	access->username = standing->user.username;
	access->scope = verdict.scope;
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
	CLEANUP(json_unref) json_t *claims = NULL;
	struct access *access = NEW(&task->arena, struct access);

	TRY(check_signature(task, authority, token, &claims));
	TRY(take_claims(task, authority, claims, access));
	*ret_access = *access;
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
