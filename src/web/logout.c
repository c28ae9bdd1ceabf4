/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/login.h"
#include "http/cookie.h"
#include "web/browser.h"
#include "web/csrf.h"
#include "web/room.h"

/* A link must not sign anybody out: it shows the question. */
enum err web_logout_form(struct exchange *exchange)
{
	struct page page = { 0 };

	TRY(page_open(exchange, &page));
	if (!page.is_signed_in)
		return page_go(&page, STR("/login"));
	csrf_add(&page, STR("logout"));
	return page_send(&page, 200, "logout", "logout.title");
}

enum err web_logout(struct exchange *exchange)
{
	struct page page = { 0 };
	struct form form;

	TRY(page_open(exchange, &page));
	TRY(page_form(&page, &form));
	if (!page.is_signed_in)
		return page_go(&page, STR("/login"));
	TRY(csrf_check(&page, &form, STR("logout")));
	TRY(logout(page.task, page.authority, &page.session));
	cookie_set(exchange, STR(SESSION_COOKIE), STR(""), 0);
	return page_go(&page, STR("/login?left=1"));
}
