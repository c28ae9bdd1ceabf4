/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/login.h"

#include "authority/request.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "http/cookie.h"
#include "http/form.h"
#include "model/document.h"
#include "store/clients.h"
#include "web/browser.h"
#include "web/csrf.h"
#include "web/room.h"
#include "web/words.h"

static const struct str consent_path = STR_INIT("/consent?request=");
static const struct str authorize_path = STR_INIT("/authorize?");

/*
 * Of an agent that nobody registered only its host is said here: its name is what it claims, and
 * who reads this has not even signed in.
 */
static void add_host(struct page *page, struct str client_id)
{
	struct str host = document_host(client_id);

	data_str(page->data, "agent_name", host);
	words_monogram(page, data_object(page->data, "agent"), client_id, host);
}

/* The question is asked again after the sign-in, and may only then be looked at. */
static void add_asker(struct page *page, struct str next)
{
	struct form query = { 0 };
	struct str client_id;
	bool is_url;

	if (form_parse(page->task, str_from(next, authorize_path.len), &query) != OK)
		return task_forgive(page->task);
	client_id = form_get(&query, "client_id");
	is_url = document_is_meant(client_id) &&
		 document_check_url(page->task, client_id, true) == OK;
	task_forgive(page->task);
	if (is_url)
		add_host(page, client_id);
}

/* Which agent one is signing in for, when it is one: the request must be this browser's. */
static enum err add_agent(struct page *page, struct str next)
{
	struct str id = str_from(next, consent_path.len);
	struct auth_request request;
	struct client client;
	struct db *db = NULL;
	enum err err;

	if (str_starts_with(next, STR("/device")))
		data_true(page->data, "device");
	if (str_starts_with(next, authorize_path))
		add_asker(page, next);
	if (!str_starts_with(next, consent_path) || !id_is_valid(id, "req_"))
		return OK;
	err = auth_request_load(page->task, page->authority, id, page->browser, &request);
	if (err == OK)
		err = store_reader(page->task, page->authority->store, &db);
	if (err == OK)
		err = client_find(page->task, db, request.client_id, &client);
	if (err == ERR_NOT_FOUND || err == ERR_FORBIDDEN || err == ERR_CONFLICT) {
		task_forgive(page->task); /* the consent page will say so */
		return OK;
	}
	TRY(err);
	if (document_is_meant(client.id)) {
		add_host(page, client.id);
	} else {
		data_str(page->data, "agent_name", client.name);
		words_monogram(page, data_object(page->data, "agent"), client.id, client.name);
	}
	if (request.login_hint.len > 0 && data_get(page->data, STR("typed")) == NULL)
		data_str(page->data, "typed", request.login_hint);
	return OK;
}

static enum err send_form(struct page *page, unsigned status, struct str next, bool again)
{
	if (next.len > 0)
		data_str(page->data, "next", next);
	if (again)
		data_true(page->data, "again");
	csrf_add(page, STR(CSRF_LOGIN));
	TRY(add_agent(page, next));
	page->is_signed_in = false; /* no navigation here */
	return page_send(page, status, "login", "login.title");
}

static struct str next_of(const struct form *form)
{
	struct str next = form_get(form, "next");

	return page_is_ours(next) ? next : STR_NONE;
}

enum err web_login_form(struct exchange *exchange)
{
	struct page page = { 0 };
	struct form query;
	struct str next;
	bool again;

	TRY(page_open(exchange, &page));
	TRY(form_parse(page.task, exchange->request.query, &query));
	next = next_of(&query);
	again = form_count(&query, "again") > 0;
	if (page.is_signed_in && !again)
		return page_go(&page, next.len > 0 ? next : STR("/account"));
	if (form_count(&query, "left") > 0)
		data_str(page.data, "done", page_text(&page, "login.left", NULL));
	return send_form(&page, 200, next, again);
}

static enum err refuse_attempt(struct page *page, const struct form *form, enum err err,
			       int64_t retry_after)
{
	unsigned status = err == ERR_PASSWORD ? 403 : err == ERR_THROTTLED ? 429 : 400;
	const char *key = err == ERR_PASSWORD ? "login.wrong" : "login.incomplete";

	if (err != ERR_PASSWORD && err != ERR_THROTTLED && err != ERR_REQUEST)
		return err;
	data_str(page->data, "typed", form_get(form, "username"));
	log_info(page->task, "login.refused", LOG_STR("error", str_from_c(err_name(err))));
	data_str(page->data, "problem",
		 err == ERR_THROTTLED ? words_wait(page, retry_after) : page_text(page, key, NULL));
	return send_form(page, status, next_of(form), form_count(form, "again") > 0);
}

/* The cookie of a new session replaces the old one, whose session ends (session fixation). */
static enum err start(struct page *page, struct str cookie, struct str next)
{
	if (page->is_signed_in)
		TRY(logout(page->task, page->authority, &page->session));
	cookie_set(page->exchange, STR(SESSION_COOKIE), cookie, -1);
	return page_go(page, next.len > 0 ? next : STR("/account"));
}

enum err web_login(struct exchange *exchange)
{
	struct page page = { 0 };
	struct login_attempt attempt;
	struct session session;
	struct str cookie;
	struct form form;
	enum err err;

	TRY(page_open(exchange, &page));
	TRY(page_form(&page, &form));
	TRY(csrf_check(&page, &form, STR(CSRF_LOGIN)));
	attempt = (struct login_attempt){
		.username = form_get(&form, "username"),
		.password = form_get(&form, "password"),
		.source = exchange->request.peer.address,
		.browser = page.browser,
		.user_agent = request_field(&exchange->request, STR("User-Agent")),
	};
	if (attempt.username.len == 0 || attempt.password.len == 0 ||
	    attempt.password.len > PASSWORD_MAX)
		return refuse_attempt(&page, &form, ERR_REQUEST, 0);
	err = login_with_password(page.task, page.authority, &attempt, &session, &cookie);
	if (err != OK)
		return refuse_attempt(&page, &form, err, attempt.retry_after);
	return start(&page, cookie, next_of(&form));
}
