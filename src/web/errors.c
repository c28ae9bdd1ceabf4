/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of OAuth's answers mean and what to do: where error_uri points. */
#include "web/page.h"
#include "web/room.h"

static const char *const reasons[] = {
	"invalid_request",
	"invalid_client",
	"invalid_grant",
	"unauthorized_client",
	"unsupported_grant_type",
	"unsupported_response_type",
	"invalid_scope",
	"invalid_target",
	"access_denied",
	"login_required",
	"consent_required",
	"invalid_client_metadata",
	"invalid_redirect_uri",
	"invalid_software_statement",
	"invalid_token",
	"insufficient_scope",
	"invalid_dpop_proof",
	"use_dpop_nonce",
	"temporarily_unavailable",
	"request_not_supported",
	"request_uri_not_supported",
	"invalid_request_uri",
	"unmet_authentication_requirements",
	"unsupported_token_type",
	"not_found",
	"server_error",
	"expired",
	"idle",
	"revoked",
	"revoked_by_user",
	"revoked_by_operator",
	"revoked_by_client",
	"reused",
	"repeated_too_often",
	"proof_missing",
	"other_key",
	"code_reused",
	"scope",
	"resource",
	"paused",
	"user_disabled",
	"client_disabled",
};

enum err web_errors(struct exchange *exchange)
{
	CLEANUP(page_close) struct page page = { 0 };
	json_t *list;

	TRY(page_open(exchange, &page));
	list = data_array(page.data, "reasons");
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		json_t *item = data_item(list);
		struct str key = STR_JOIN(&page.task->arena, STR("reason."),
					  str_from_c(reasons[i]));

		data_str(item, "word", str_from_c(reasons[i]));
		data_str(item, "meaning", page_text(&page, key.at, NULL));
	}
	return page_send(&page, 200, "errors", "errors.title");
}
