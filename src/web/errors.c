/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of OAuth's answers mean and what to do: where error_uri points. */
#include "authority/reason.h"
#include "web/page.h"
#include "web/room.h"

static const char *const errors[] = {
	"invalid_request",
	"invalid_client",
	"invalid_grant",
	"unauthorized_client",
	"unsupported_grant_type",
	"unsupported_response_type",
	"invalid_scope",
	"invalid_target",
	"access_denied",
	"authorization_pending",
	"slow_down",
	"expired_token",
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
	"invalid_authorization_details",
	"authorization_details",
	"unmet_authentication_requirements",
	"unsupported_token_type",
	"not_found",
	"server_error",
};

static void add_word(const struct page *page, const char *word, struct data *list)
{
	struct str key = STR_JOIN(&page->task->arena, STR("reason."), str_from_c(word));
	struct data *item = data_item(list);

	data_str(item, "word", str_from_c(word));
	data_str(item, "meaning", page_text(page, key.at, NULL));
}

enum err web_errors(struct exchange *exchange)
{
	struct page page = { 0 };
	struct data *list;

	TRY(page_open(exchange, &page));
	list = data_array(page.data, "reasons");
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		add_word(&page, errors[i], list);
	for (size_t i = 0; i < reason_count; i++)
		add_word(&page, reasons[i], list);
	return page_send(&page, 200, "errors", "errors.title");
}
