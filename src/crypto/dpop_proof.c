/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/dpop_proof.h"

#include "base/task.h"
#include "crypto/claims.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/key_cache.h"

#define HTM_MAX	  32
#define ATH_MAX	  64
#define NONCE_MAX 256

/* All that costs nothing comes before the signature. */
static enum err read_claims(struct task *task, struct str payload, struct dpop_proof *proof)
{
	CLEANUP(json_unref) json_t *claims = NULL;

	if (json_parse(task, payload, DPOP_PROOF_MAX, &claims) != OK || !json_is_object(claims))
		return fail(task, ERR_TOKEN, "the proof's claims are not a JSON object");
	TRY(claim_text(task, claims, "jti", DPOP_JTI_MAX, &proof->jti));
	TRY(claim_text(task, claims, "htm", HTM_MAX, &proof->htm));
	TRY(claim_text(task, claims, "htu", DPOP_URI_MAX, &proof->htu));
	TRY(claim_time(task, claims, "iat", &proof->issued_at));
	TRY(claim_text(task, claims, "ath", ATH_MAX, &proof->ath));
	TRY(claim_text(task, claims, "nonce", NONCE_MAX, &proof->nonce));
	if (proof->jti.at == NULL || proof->htm.at == NULL || proof->htu.at == NULL ||
	    proof->issued_at < 0)
		return fail(task, ERR_TOKEN, "the proof lacks one of jti, htm, htu, iat");
	return OK;
}

/* RFC 9449 4.3: a public key, and the one that made the signature. */
static enum err parse_key(struct task *task, const struct jws *jws, struct public_key **ret_key)
{
	const json_t *jwk = json_object_get(jws->header, "jwk");

	if (jwk == NULL)
		return fail(task, ERR_TOKEN, "the proof's header has no jwk");
	/* the reason is noted */
	return jwk_parse(task, jwk, ret_key) == OK ? OK : ERR_TOKEN;
}

/* A client writes the same header each time, so the key in it is known by the header's bytes. */
static enum err check_key(struct task *task, struct key_cache *cache, const struct jws *jws,
			  struct str *ret_jkt)
{
	CLEANUP(public_key_free) struct public_key *key = NULL;
	uint8_t digest[SHA256_LEN];
	bool is_known = false;

	if (cache != NULL) {
		sha256(str_sub(jws->signed_part, 0, str_find(jws->signed_part, '.')), digest);
		key = key_cache_find(cache, digest);
		is_known = key != NULL;
	}
	if (!is_known)
		TRY(parse_key(task, jws, &key));
	TRY(jws_check(task, jws, key));
	if (cache != NULL && !is_known)
		key_cache_add(cache, digest, key);
	*ret_jkt = public_key_thumbprint(&task->arena, key);
	return OK;
}

enum err dpop_proof_read(struct task *task, struct key_cache *cache, struct str text,
			 struct dpop_proof *ret_proof)
{
	CLEANUP(jws_free) struct jws jws = { 0 };
	struct dpop_proof proof = { 0 };

	if (text.len > DPOP_PROOF_MAX)
		return fail(task, ERR_TOKEN, "the proof is too long");
	TRY(jws_parse(task, text, true, &jws));
	if (!str_equals(jws.typ, STR("dpop+jwt")))
		return fail(task, ERR_TOKEN, "the proof's typ is not dpop+jwt");
	TRY(read_claims(task, jws.payload, &proof));
	TRY(check_key(task, cache, &jws, &proof.jkt));
	*ret_proof = proof;
	return OK;
}
