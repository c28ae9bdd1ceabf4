/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/proof.h"

#include "oauth/endpoints.h"
#include "oauth/reply.h"

enum err oauth_proof(struct exchange *exchange, struct str access_token, struct dpop *ret_dpop)
{
	struct task *task = &exchange->task;
	const struct request *request = &exchange->request;
	const struct dpop_asked asked = {
		.proof = request_field(request, STR("DPoP")),
		.method = request->method,
		.path = request->path,
		.access_token = access_token,
	};

	if (request_field_count(request, STR("DPoP")) > 1)
		return fail(task, ERR_DPOP, "more than one DPoP header");
	TRY(dpop_check(task, oauth_authority(exchange), &asked, ret_dpop));
	if (ret_dpop->nonce_is_old)
		oauth_dpop_nonce(exchange);
	return OK;
}
