/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "base/json.h"
#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/holder_private.h"
#include "crypto/jws.h"
#include "crypto/public_key.h"

#define SIGNATURE_MAX 512
#define HEADER_MAX    1024

static const struct signing_key *find_newest(const struct key_set *set, struct str purpose,
					     int64_t now)
{
	const struct signing_key *newest = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct signing_key *key = &set->keys[i];

		if (!str_equals(key->purpose, purpose) || key->not_before > now ||
		    key_is_retired(key->retire_at, now))
			continue;
		if (newest == NULL || key->not_before >= newest->not_before)
			newest = key;
	}
	return newest;
}

static void free_ecdsa(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

/* RFC 7518 3.4: r and s, each as long as the field, instead of OpenSSL's DER. In place. */
static bool from_der(uint8_t *bytes, size_t *len)
{
	const uint8_t *at = bytes;
	CLEANUP(free_ecdsa) ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)*len);

	if (signature == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes, 32) != 32 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes + 32, 32) != 32)
		return false;
	*len = 64;
	return true;
}

static enum err sign(struct task *task, const struct signing_key *key, struct str text,
		     struct str *ret_signature)
{
	/*
	 * Preparing a context costs as much as a third of the signature; copying one costs little.
	 */
	CLEANUP(pkey_context_free) EVP_PKEY_CTX *context = EVP_PKEY_CTX_dup(key->sign);
	uint8_t *bytes = arena_alloc(&task->arena, SIGNATURE_MAX);
	uint8_t digest[SHA256_LEN];
	size_t len = SIGNATURE_MAX;

	sha256(text, digest);
	if (context == NULL || EVP_PKEY_sign(context, bytes, &len, digest, sizeof(digest)) != 1 ||
	    (key->alg == ALG_ES256 && !from_der(bytes, &len))) {
		ERR_clear_error();
		return fail(task, ERR_CRYPTO, "signing failed");
	}
	*ret_signature = (struct str){ (const char *)bytes, len };
	return OK;
}

static enum err spell_header(struct task *task, const struct signing_key *key, struct str typ,
			     struct str *ret_header)
{
	struct buf buf = buf_in(&task->arena, HEADER_MAX);
	struct json_writer json = json_write_to(&buf);

	json_open_object(&json);
	json_member_str(&json, "typ", typ);
	json_member_str(&json, "alg", alg_name(key->alg));
	json_member_str(&json, "kid", key->kid);
	json_close(&json);
	return buf_finish(&buf, ret_header);
}

enum err holder_sign_jwt(struct task *task, struct key_holder *holder, struct str purpose,
			 struct str typ, struct str claims, struct str *ret_jwt)
{
	CLEANUP(key_set_release) struct key_set *set = key_set_hold(holder);
	const struct signing_key *key = find_newest(set, purpose, task->now);
	struct buf jwt = buf_in(&task->arena, JWS_MAX);
	struct str text = STR_NONE;

	if (key == NULL)
		return failf(task, ERR_CRYPTO, "there is no signing key for %.*s",
			     STR_FMT(purpose));
	TRY(spell_header(task, key, typ, &text));
	base64url_add(&jwt, text);
	buf_add_char(&jwt, '.');
	base64url_add(&jwt, claims);
	TRY(buf_finish(&jwt, &text));
	TRY(sign(task, key, text, &text));
	buf_add_char(&jwt, '.');
	base64url_add(&jwt, text);
	return buf_finish(&jwt, ret_jwt);
}
