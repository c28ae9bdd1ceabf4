/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token from outside, with and without a key in its header, checked with that key or with one of
 * each kind. Only the published signature may be right for the published keys.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../tests/vectors/jose.h"
#include "base/task.h"
#include "crypto/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	struct str jwk;
	struct str right; /* the only signed part that this key has ever signed */
} published[] = {
	{ STR_INIT(EC_JWK), STR_INIT(ES256_HEADER "." PAYLOAD) },
	{ STR_INIT(RSA_JWK), STR_INIT(RS256_HEADER "." PAYLOAD) },
	{ STR_INIT(OKP_JWK), STR_INIT(EDDSA_SIGNED) },
};

static enum err check(struct task *task, const struct jws *jws, const json_t *jwk)
{
	CLEANUP(public_key_free) struct public_key *key = NULL;

	TRY(jwk_parse(task, jwk, &key));
	return jws_check(task, jws, key);
}

static void check_published(struct task *task, const struct jws *jws, size_t i)
{
	CLEANUP(json_unref) json_t *jwk = NULL;

	if (json_parse(task, published[i].jwk, 8192, &jwk) != OK)
		abort();
	if (check(task, jws, jwk) == OK && !str_equals(jws->signed_part, published[i].right))
		abort();
}

static void parse(struct task *task, struct str text, bool allow_jwk)
{
	CLEANUP(jws_free) struct jws jws = { 0 };
	const json_t *jwk;

	if (jws_parse(task, text, allow_jwk, &jws) != OK)
		return;
	if (jws.signed_part.len + 1 >= text.len || jws.signature.len == 0)
		abort();
	jwk = json_object_get(jws.header, "jwk");
	if (jwk != NULL && !allow_jwk)
		abort();
	if (jwk != NULL && check(task, &jws, jwk) != OK)
		task_forgive(task);
	for (size_t i = 0; i < COUNT_OF(published); i++)
		check_published(task, &jws, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str text = { (const char *)data, size };
	struct clock clock = { 0 };
	struct task task;

	task_begin(&task, &clock, NULL);
	parse(&task, text, false);
	parse(&task, text, true);
	task_end(&task);
	return 0;
}
