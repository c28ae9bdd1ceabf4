/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/issue.h"

#include <string.h>

#include "base/secret.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "store/derivations.h"

#define CLAIMS_MAX	 (16 * 1024)
#define FAMILY_PREFIX	 "fam_"
#define REFRESH_PREFIX	 "grt_"
#define REFRESH_FIELDS	 (4 + ID_RANDOM_LEN + 8)
#define REFRESH_BYTES	 (REFRESH_FIELDS + SHA256_LEN)
#define REFRESH_TEXT_LEN ((REFRESH_BYTES * 8 + 5) / 6)
#define CRC_TEXT_LEN	 6
#define ID_TOKEN_MS	 (5 * MINUTE_MS)

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

/* --- refresh tokens: fields ‖ tag, and a checksum for who looks for lost ones --- */

/* key number ‖ family ‖ generation, big-endian. */
static void put_fields(char at[REFRESH_FIELDS], uint32_t root_number, struct str family_id,
		       int64_t generation)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(root_number >> (24 - 8 * i));
	memcpy(at + 4, family_id.at + strlen(FAMILY_PREFIX), ID_RANDOM_LEN);
	for (int i = 0; i < 8; i++)
		at[4 + ID_RANDOM_LEN + i] = (char)((uint64_t)generation >> (56 - 8 * i));
}

/* tag = HMAC(K, label ‖ issuer ‖ client ‖ fields); the key holder adds the issuer. */
static struct str tag_input(struct arena *arena, const struct family *family,
			    const char fields[REFRESH_FIELDS])
{
	return STR_JOIN(arena, STR("refresh\0"), family->client_id, STR("\0"),
			(struct str){ fields, REFRESH_FIELDS });
}

static struct str crc_text(struct arena *arena, struct str bytes)
{
	uint32_t crc = crc32_of(bytes);
	char four[] = { (char)(crc >> 24), (char)(crc >> 16), (char)(crc >> 8), (char)crc };

	return base64url_encode(arena, (struct str){ four, sizeof(four) });
}

static struct str refresh_text(struct arena *arena, const char bytes[REFRESH_BYTES])
{
	struct str all = { bytes, REFRESH_BYTES };

	return STR_JOIN(arena, STR(REFRESH_PREFIX), base64url_encode(arena, all),
			crc_text(arena, all));
}

enum err refresh_token_parse(struct task *task, struct str text, struct refresh_token *ret_token)
{
	struct str bytes, body = str_from(text, strlen(REFRESH_PREFIX));
	struct refresh_token token = { 0 };
	uint64_t generation = 0;

	if (!str_starts_with(text, STR(REFRESH_PREFIX)) ||
	    body.len != REFRESH_TEXT_LEN + CRC_TEXT_LEN ||
	    base64url_decode(task, str_sub(body, 0, REFRESH_TEXT_LEN), &bytes) != OK ||
	    !str_equals(crc_text(&task->arena, bytes), str_from(body, REFRESH_TEXT_LEN)))
		return fail(task, ERR_GRANT, "this is not a refresh token");
	for (int i = 0; i < 4; i++)
		token.root_number = token.root_number << 8 | (unsigned char)bytes.at[i];
	token.family_id = STR_JOIN(&task->arena, STR(FAMILY_PREFIX),
				   str_sub(bytes, 4, ID_RANDOM_LEN));
	for (int i = 0; i < 8; i++)
		generation = generation << 8 | (unsigned char)bytes.at[4 + ID_RANDOM_LEN + i];
	token.tag = str_from(bytes, REFRESH_FIELDS);
	if (!id_is_valid(token.family_id, FAMILY_PREFIX) || generation > INT64_MAX)
		return fail(task, ERR_GRANT, "this is not a refresh token");
	token.generation = (int64_t)generation;
	*ret_token = token;
	return OK;
}

static enum err refuse_unknown(struct task *task)
{
	return fail(task, ERR_GRANT, "the refresh token is not known");
}

static struct str presented_input(struct arena *arena, const struct family *family,
				  const struct refresh_token *token)
{
	char fields[REFRESH_FIELDS];

	put_fields(fields, token->root_number, token->family_id, token->generation);
	return tag_input(arena, family, fields);
}

/* Of those up to the current one, each was made by one root key, and no other's counts. */
static bool is_of_its_time(const struct refresh_token *token, const struct family *family)
{
	if (token->generation > family->generation) /* the database was put back: judge */
		return token->root_number >= family->root_number;
	return token->root_number == family_root_of(family, token->generation);
}

/* Agents throw away what is refused as unknown: a file without the key must not have them do it. */
static enum err check_has_root(struct task *task, const struct authority *authority,
			       const struct family *family)
{
	if (keys_find_root(authority->keys, family->root_number) != NULL ||
	    !family_is_live(family, task->now))
		return OK;
	return failf(task, ERR_BUSY,
		     "root key %u, by which the refresh tokens of %.*s are made, is not in this "
		     "node's root key file: put it back from a copy and restart grantd",
		     family->root_number, STR_FMT(family->id));
}

enum err refresh_token_check_root(struct task *task, const struct authority *authority,
				  const struct refresh_token *token, const struct family *family)
{
	TRY(check_has_root(task, authority, family));
	if (!is_of_its_time(token, family) ||
	    keys_find_root(authority->keys, token->root_number) == NULL)
		return refuse_unknown(task);
	return OK;
}

enum err refresh_token_check(struct task *task, const struct authority *authority,
			     const struct refresh_token *token, const struct family *family)
{
	uint8_t tag[SHA256_LEN];

	TRY(refresh_token_check_root(task, authority, token, family));
	TRY(keys_mac_refresh(task, authority->keys, token->root_number, family->seed,
			     presented_input(&task->arena, family, token), tag));
	if (!secret_equals((struct str){ (const char *)tag, sizeof(tag) }, token->tag))
		return refuse_unknown(task);
	return OK;
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

/* Both tokens of a family, for one question to the key holder. */
static enum err sign_with_refresh(struct task *task, const struct authority *authority,
				  const struct claims *claims, struct key_order *order,
				  struct token_answer *answer)
{
	const struct refresh_token *presented = claims->presented;
	const struct family *family = &claims->standing->family;
	char bytes[REFRESH_BYTES];
	enum err err;

	put_fields(bytes, family->root_number, family->id, family->generation);
	order->root_number = family->root_number;
	order->seed = family->seed;
	order->input = tag_input(&task->arena, family, bytes);
	if (presented != NULL) {
		order->presented_root = presented->root_number;
		order->presented_input = presented_input(&task->arena, family, presented);
		order->presented_tag = presented->tag;
	}
	err = keys_issue(task, authority->keys, order, &answer->access_token,
			 (uint8_t *)bytes + REFRESH_FIELDS);
	if (err == ERR_TOKEN)
		return refuse_unknown(task);
	TRY(err);
	answer->refresh_token = refresh_text(&task->arena, bytes);
	answer->refresh_token_timeout = (family->idle_expires_at - task->now) / SECOND_MS;
	return OK;
}

static enum err sign_tokens(struct task *task, const struct authority *authority,
			    const struct resource *resource, const struct claims *claims,
			    struct token_answer *ret_answer)
{
	struct token_answer answer = {
		.jti = claims->derivation == NULL ? random_id(&task->arena, "tok_")
						  : claims->derivation->jti,
		.scope = claims->scope,
		.details = claims->details,
		.expires_in = claims->expires_at / SECOND_MS - task->now / SECOND_MS,
		.access_expires_at = claims->expires_at,
		.authorization_expires_in = -1,
		.refresh_token_timeout = -1,
		.is_bound = claims->jkt.at != NULL,
	};
	struct key_order order = {
		.purpose = issue_purpose(&task->arena, resource),
		.typ = resource->token_typ,
	};

	TRY(spell_claims(task, authority, claims, answer.jti, &order.claims));
	if (claims->is_renewable)
		TRY(sign_with_refresh(task, authority, claims, &order, &answer));
	else
		TRY(keys_sign_jwt(task, authority->keys, order.purpose, order.typ, order.claims,
				  &answer.access_token));
	*ret_answer = answer;
	return OK;
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
static enum err issue_under(struct task *task, const struct authority *authority,
			    const struct wish *wish, struct claims *claims,
			    struct token_answer *ret_answer)
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
	TRY(sign_tokens(task, authority, resource, claims, ret_answer));
	if (standing->grant.expires_at != NEVER)
		ret_answer->authorization_expires_in = (standing->grant.expires_at - task->now) /
						       SECOND_MS;
	return OK;
}

enum err issue_tokens(struct task *task, const struct authority *authority,
		      const struct standing *standing, const struct wish *wish, bool is_renewable,
		      struct token_answer *ret_answer)
{
	struct claims claims = { .standing = standing, .is_renewable = is_renewable };

	return issue_under(task, authority, wish, &claims, ret_answer);
}

enum err issue_successor(struct task *task, const struct authority *authority,
			 const struct refresh_token *presented, const struct standing *standing,
			 const struct wish *wish, struct token_answer *ret_answer)
{
	struct claims claims = { .standing = standing,
				 .is_renewable = true,
				 .presented = presented };

	return issue_under(task, authority, wish, &claims, ret_answer);
}

enum err issue_derived(struct task *task, const struct authority *authority,
		       const struct standing *standing, const struct wish *wish,
		       const struct derivation *derivation, struct token_answer *ret_answer)
{
	struct claims claims = { .standing = standing,
				 .derivation = derivation,
				 .act = &wish->delegation->act };

	TRY(issue_under(task, authority, wish, &claims, ret_answer));
	/* said with a refresh token only, of which there is none here */
	ret_answer->authorization_expires_in = -1;
	ret_answer->issued_token_type = STR(TOKEN_TYPE_ACCESS);
	return OK;
}

enum err issue_client_token(struct task *task, const struct authority *authority,
			    const struct client_order *order, struct token_answer *ret_answer)
{
	struct claims claims = {
		.sub = order->client->id,
		.audience = order->resource->uri,
		.client_id = order->client->id,
		.scope = scope_text(&task->arena, order->scope),
		.jkt = order->jkt,
		.expires_at = task->now + issue_lifetime(authority, order->resource),
	};

	return sign_tokens(task, authority, order->resource, &claims, ret_answer);
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
