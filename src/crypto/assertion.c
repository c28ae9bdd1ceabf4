/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/assertion.h"

#include "base/task.h"
#include "crypto/claims.h"

void assertion_free(struct assertion *assertion)
{
	jws_free(&assertion->jws);
	*assertion = (struct assertion){ 0 };
}

/* A list of audiences is none that we accept (draft-ietf-oauth-rfc7523bis): not even of one. */
static enum err read_audience(struct task *task, const json_t *claims, struct str *ret_audience)
{
	*ret_audience = STR_NONE;
	if (!json_is_string(json_object_get(claims, "aud")))
		return OK;
	return claim_text(task, claims, "aud", ASSERTION_ID_MAX, ret_audience);
}

static enum err read_claims(struct task *task, struct assertion *assertion)
{
	CLEANUP(json_unref) json_t *claims = NULL;

	if (json_parse(task, assertion->jws.payload, ASSERTION_MAX, &claims) != OK ||
	    !json_is_object(claims))
		return fail(task, ERR_TOKEN, "the assertion's claims are not a JSON object");
	TRY(claim_text(task, claims, "iss", ASSERTION_ID_MAX, &assertion->issuer));
	TRY(claim_text(task, claims, "sub", ASSERTION_ID_MAX, &assertion->subject));
	TRY(read_audience(task, claims, &assertion->audience));
	TRY(claim_text(task, claims, "jti", ASSERTION_JTI_MAX, &assertion->jti));
	TRY(claim_time(task, claims, "iat", &assertion->issued_at));
	TRY(claim_time(task, claims, "nbf", &assertion->not_before));
	return claim_time(task, claims, "exp", &assertion->expires_at);
}

enum err assertion_parse(struct task *task, struct str text, struct assertion *ret_assertion)
{
	CLEANUP(assertion_free) struct assertion assertion = { 0 };

	if (text.len > ASSERTION_MAX)
		return fail(task, ERR_TOKEN, "the assertion is too long");
	TRY(jws_parse(task, text, false, &assertion.jws));
	TRY(read_claims(task, &assertion));
	*ret_assertion = assertion;
	assertion.jws.header = NULL;
	return OK;
}
