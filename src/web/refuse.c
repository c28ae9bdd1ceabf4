/* SPDX-License-Identifier: Apache-2.0 */
#include "web/refuse.h"

#include "authority/login.h"
#include "base/buf.h"
#include "base/url.h"
#include "http/cookie.h"
#include "model/redirect.h"
#include "web/browser.h"
#include "web/page.h"
#include "web/room.h"

#define LOCATION_MAX HTTP_TARGET_MAX

struct wording {
	enum err err;
	unsigned status;
	const char *key;
	bool says_reason; /* the reason helps whoever built the link */
};

static const struct wording wordings[] = {
	{ ERR_CLIENT_DOCUMENT, 400, "error.client_document", true },
	{ ERR_CLIENT, 400, "error.client", false },
	{ ERR_PUSHED, 400, "error.pushed", false },
	{ ERR_FORBIDDEN, 403, "error.403", false },
	{ ERR_NOT_FOUND, 404, "error.404", false },
	{ ERR_METHOD, 405, "error.405", false },
	{ ERR_CONFLICT, 409, "error.409", true },
	{ ERR_TOO_LARGE, 413, "error.413", false },
	{ ERR_MEDIA_TYPE, 415, "error.415", false },
	{ ERR_THROTTLED, 429, "error.429", false },
	{ ERR_BUSY, 503, "error.503", false },
	{ ERR_TIMEOUT, 503, "error.503", false },
	{ ERR_STORE, 503, "error.503", false },
	{ ERR_CRYPTO, 500, "error.500", false },
	{ ERR_IO, 500, "error.500", false },
	{ ERR_CONFIG, 500, "error.500", false },
	{ ERR_FULL, 503, "error.full", false },
	{ ERR_INTERNAL, 500, "error.500", false },
};

static const struct wording other = { ERR_REQUEST, 400, "error.400", true };

static const struct wording *wording_of(enum err err)
{
	for (size_t i = 0; i < COUNT_OF(wordings); i++)
		if (wordings[i].err == err)
			return &wordings[i];
	return &other;
}

static void log_refusal(struct exchange *exchange, enum err err, unsigned status)
{
	struct task *task = &exchange->task;
	struct str name = str_from_c(err_name(err));

	if (status >= 500)
		log_error(task, "page.failed", LOG_INT("status", status), LOG_STR("error", name),
			  LOG_STR("reason", task->reason));
	else
		log_info(task, "page.refused", LOG_INT("status", status), LOG_STR("error", name),
			 LOG_STR("reason", task->reason));
}

static void add_retry_after(struct exchange *exchange, unsigned status)
{
	const struct reply *reply = &exchange->reply;

	if (status != 429 && status != 503)
		return;
	for (size_t i = 0; i < reply->field_count; i++)
		if (str_equals_nocase(reply->fields[i].name, STR("Retry-After")))
			return;
	reply_field(exchange, STR("Retry-After"), status == 429 ? STR("60") : STR("2"));
}

/* A link that the person may follow, to an address that nobody vouches for. */
static void add_way_back(struct page *page, struct str back)
{
	struct data *object;

	if (back.at == NULL)
		return;
	object = data_object(page->data, "back");
	data_str(object, "address", back);
	data_str(object, "host", redirect_host(back));
	data_str(object, "words", page_text(page, "error.back", object));
}

void web_error_page(struct exchange *exchange, enum err err, struct str back, void *web)
{
	const struct wording *wording = wording_of(err);
	struct str reason = exchange->task.reason;
	struct page page = { 0 };

	log_refusal(exchange, err, wording->status);
	add_retry_after(exchange, wording->status);
	page_begin(exchange, web, &page);
	if (wording->says_reason && reason.len > 0)
		data_str(page.data, "reason", reason);
	add_way_back(&page, back);
	if (page_send_problem(&page, wording->status, wording->key) == OK)
		return;
	reply_with(exchange, wording->status, STR("text/plain; charset=utf-8"),
		   STR_JOIN(&exchange->task.arena, STR("This page cannot be shown. Request "),
			    exchange->request_id, STR("\n")));
	page_headers(exchange, STR_NONE);
}

/* To the sign-in, and back to where the person wanted to go. */
static bool go_to_login(struct exchange *exchange)
{
	struct buf buf = buf_in(&exchange->task.arena, LOCATION_MAX);
	struct str location, target = exchange->request.target;

	buf_add_c(&buf, "/login");
	if (page_is_ours(target) && !str_equals(target, STR("/account"))) {
		buf_add_c(&buf, "?next=");
		url_encode(&buf, target);
	}
	if (buf_finish(&buf, &location) != OK)
		return false;
	reply_redirect(exchange, 303, location);
	return true;
}

void web_refuse(struct exchange *exchange, enum err err)
{
	if (err == ERR_LOGIN_REQUIRED && go_to_login(exchange))
		return;
	web_error_page(exchange, err, STR_NONE, web_of(exchange));
}

enum err web_sign_in(struct exchange *exchange, void *web)
{
	struct str target = exchange->request.target;

	(void)web;
	if (!page_is_ours(target) && target.len <= PAGE_QUESTION_MAX)
		return fail(&exchange->task, ERR_REQUEST,
			    "after signing in this cannot be asked again: client_id must be "
			    "written as it is, and other characters than those of URLs escaped");
	if (!page_is_ours(target) || !go_to_login(exchange))
		return fail(&exchange->task, ERR_TOO_LARGE, "too long to come back to");
	task_forgive(&exchange->task);
	return OK;
}

void web_who(struct exchange *exchange, void *web, struct consent_asked *ret_who)
{
	const struct web *room = web;
	struct task *task = &exchange->task;
	struct str cookie = cookie_get(&exchange->request, STR(SESSION_COOKIE));
	struct session *session = NEW(&task->arena, struct session);
	struct user *user = NEW(&task->arena, struct user);

	*ret_who = (struct consent_asked){
		.browser = browser_value(exchange),
		.source = exchange->request.peer.address,
	};
	if (cookie.len == 0)
		return;
	if (session_open(task, room->config.authority, cookie, session, user) != OK) {
		task_forgive(task);
		return;
	}
	ret_who->session = session;
	ret_who->user = user;
}
