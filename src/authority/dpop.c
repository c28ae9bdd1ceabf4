/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/dpop.h"

#include "authority/single_use.h"
#include "base/url.h"
#include "crypto/base64.h"
#include "crypto/dpop_proof.h"

#define SKEW_MS	      (10 * SECOND_MS)
#define BARE_MS	      (60 * SECOND_MS) /* the age of a proof without a nonce */
#define WITH_NONCE_MS (5 * MINUTE_MS)  /* how wrong a clock may be that signs our nonce */
#define NONCE_STEP_MS (30 * SECOND_MS)
#define NONCE_LIFE_MS (5 * MINUTE_MS)
#define NONCE_OLD_MS  (2 * MINUTE_MS)
#define TIME_LEN      6
#define TAG_LEN	      16
#define NONCE_LEN     (TIME_LEN + TAG_LEN)

/* --- nonces: time ‖ MAC --- */

static struct str nonce_at(struct task *task, const struct authority *authority, int64_t wall_ms)
{
	uint64_t step = (uint64_t)(wall_ms / NONCE_STEP_MS);
	char bytes[NONCE_LEN];
	uint8_t tag[SHA256_LEN];

	for (int i = 0; i < TIME_LEN; i++)
		bytes[i] = (char)(step >> (8 * (TIME_LEN - 1 - i)));
	hmac_sha256(secret_reveal(&authority->nonce_key), (struct str){ bytes, TIME_LEN }, tag);
	for (int i = 0; i < TAG_LEN; i++)
		bytes[TIME_LEN + i] = (char)tag[i];
	return base64url_encode(&task->arena, (struct str){ bytes, NONCE_LEN });
}

struct str dpop_nonce(struct task *task, const struct authority *authority)
{
	return nonce_at(task, authority, task->now);
}

/* When it was given out, to the step; 0: it is none of ours. */
static int64_t nonce_time(struct task *task, const struct authority *authority, struct str nonce)
{
	struct str bytes;
	uint64_t step = 0;
	int64_t at;

	if (base64url_decode(task, nonce, &bytes) != OK) {
		task_forgive(task);
		return 0;
	}
	if (bytes.len != NONCE_LEN)
		return 0;
	for (int i = 0; i < TIME_LEN; i++)
		step = step << 8 | (uint8_t)bytes.at[i];
	at = (int64_t)step * NONCE_STEP_MS;
	return secret_equals(nonce, nonce_at(task, authority, at)) ? at : 0;
}

/* --- proofs --- */

struct str dpop_token_hash(struct arena *arena, struct str access_token)
{
	return base64url_encode(arena, sha256_str(arena, access_token));
}

bool dpop_jkt_is_valid(struct str jkt)
{
	return jkt.len == 43 && str_only(jkt, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-_");
}

static bool port_equals(const struct url *a, const struct url *b)
{
	struct str standard = STR("443");

	return str_equals(a->port.at == NULL ? standard : a->port,
			  b->port.at == NULL ? standard : b->port);
}

/*
 * RFC 9449 4.3: without query and fragment, after the normalisation of RFC 3986 6.2.2 and 6.2.3.
 * Our own paths have none but unreserved characters, so who writes one with % means another.
 */
static enum err check_target(struct task *task, const struct authority *authority,
			     const struct dpop_asked *asked, struct str htu)
{
	struct url told, own;
	struct str path;

	if (url_parse(authority_config(authority)->issuer, &own) != OK)
		return fail(task, ERR_INTERNAL, "the issuer is not a URL");
	if (url_parse(htu, &told) != OK || url_decode(task, told.path, false, &path) != OK ||
	    told.userinfo.at != NULL || !str_equals_nocase(told.scheme, own.scheme) ||
	    !str_equals_nocase(told.host, own.host) || !port_equals(&told, &own) ||
	    !str_equals(path, asked->path))
		return failf(task, ERR_DPOP, "the proof's htu is not %.*s%.*s",
			     STR_FMT(authority_config(authority)->issuer), STR_FMT(asked->path));
	return OK;
}

static enum err check_token(struct task *task, const struct dpop_asked *asked,
			    const struct dpop_proof *proof)
{
	if (asked->access_token.at == NULL)
		return OK;
	if (proof->ath.at == NULL)
		return fail(task, ERR_DPOP, "the proof has no ath");
	if (!str_equals(proof->ath, dpop_token_hash(&task->arena, asked->access_token)))
		return fail(task, ERR_DPOP, "the proof's ath is not the hash of the access token");
	return OK;
}

static enum err ask_for_nonce(struct task *task)
{
	return fail(task, ERR_DPOP_NONCE, "sign again, with the nonce of DPoP-Nonce");
}

/*
 * A proof is good while its time is near ours; one with our nonce is of after the nonce, whatever
 * the client's clock says. It stays spent for as long as any node would take it.
 */
static enum err check_time(struct task *task, const struct authority *authority,
			   const struct dpop_proof *proof, struct dpop *dpop)
{
	int64_t age = task->now - proof->issued_at, given;

	dpop->spent.ends_at = proof->issued_at + BARE_MS + SKEW_MS;
	if (proof->nonce.at == NULL) {
		if (age > BARE_MS || age < -SKEW_MS ||
		    authority_config(authority)->require_dpop_nonce)
			return ask_for_nonce(task);
		return OK;
	}
	given = nonce_time(task, authority, proof->nonce);
	if (given == 0 || task->now - given > NONCE_LIFE_MS || given > task->now + SKEW_MS)
		return ask_for_nonce(task);
	if (age > WITH_NONCE_MS || age < -WITH_NONCE_MS)
		return fail(task, ERR_DPOP,
			    "the proof's iat is more than five minutes from now: check the clock");
	dpop->nonce_is_old = task->now - given > NONCE_OLD_MS;
	/* what ends its life first, its time or the nonce's */
	dpop->spent.ends_at = given + NONCE_LIFE_MS + NONCE_STEP_MS + SKEW_MS;
	return OK;
}

enum err dpop_check(struct task *task, const struct authority *authority,
		    const struct dpop_asked *asked, struct dpop *ret_dpop)
{
	struct dpop dpop = { 0 };
	struct dpop_proof proof;
	enum err err;

	if (asked->proof.at == NULL) {
		*ret_dpop = dpop;
		return OK;
	}
	err = dpop_proof_read(task, authority->proof_keys, asked->proof, &proof);
	if (err == ERR_TOKEN)
		return ERR_DPOP; /* the reason is noted */
	TRY(err);
	if (!str_equals(proof.htm, asked->method))
		return fail(task, ERR_DPOP, "the proof's htm is not the method of the request");
	TRY(check_target(task, authority, asked, proof.htu));
	TRY(check_token(task, asked, &proof));
	TRY(check_time(task, authority, &proof, &dpop));
	dpop.jkt = proof.jkt;
	dpop.spent.name = single_use_name(&task->arena, STR("dpop"), proof.jkt, proof.jti);
	*ret_dpop = dpop;
	return OK;
}
