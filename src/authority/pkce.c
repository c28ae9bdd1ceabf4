/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/pkce.h"

#include "base/secret.h"
#include "base/task.h"
#include "crypto/base64.h"
#include "crypto/digest.h"

#define VERIFIER_MIN 43
#define VERIFIER_MAX 128

enum err pkce_check_challenge(struct task *task, struct str challenge, struct str method)
{
	struct str bytes;

	if (str_is_empty(challenge))
		return fail(task, ERR_REQUEST, "code_challenge is missing: PKCE is required");
	if (!str_equals(method, STR("S256")))
		return fail(task, ERR_REQUEST, "code_challenge_method must be S256");
	if (base64url_decode(task, challenge, &bytes) != OK || bytes.len != SHA256_LEN)
		return fail(task, ERR_REQUEST, "code_challenge is not a base64url SHA-256");
	return OK;
}

bool pkce_verify(struct str challenge, struct str verifier)
{
	struct arena arena = { 0 };
	bool fits;

	if (verifier.len < VERIFIER_MIN || verifier.len > VERIFIER_MAX)
		return false;
	fits = secret_equals(base64url_encode(&arena, sha256_str(&arena, verifier)), challenge);
	arena_free(&arena);
	return fits;
}
