/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page.h"

#include "authority/login.h"
#include "http/cookie.h"
#include "http/template.h"
#include "web/browser.h"
#include "web/room.h"
#include "web/words.h"

static enum err find_session(struct page *page)
{
	struct str cookie = cookie_get(&page->exchange->request, STR(SESSION_COOKIE));
	enum err err;

	if (cookie.len == 0)
		return OK;
	err = session_open(page->task, page->authority, cookie, &page->session, &page->user);
	if (err == ERR_LOGIN_REQUIRED) {
		task_forgive(page->task);
		return OK;
	}
	TRY(err);
	page->is_signed_in = true;
	task_tag(page->task, "user", page->user.id);
	return OK;
}

void page_let_in(struct page *page, struct str browser, const struct session *session,
		 const struct user *user)
{
	page->browser = browser;
	page->session = *session;
	page->user = *user;
	page->is_signed_in = true;
	task_tag(page->task, "user", page->user.id);
}

void page_begin(struct exchange *exchange, const struct web *web, struct page *page)
{
	page->exchange = exchange;
	page->task = &exchange->task;
	page->web = web;
	page->authority = web->config.authority;
	page->locale = locale_choose(web->locales, STR_NONE,
				     request_field(&exchange->request, STR("Accept-Language")));
	page->data = data_new_object(&page->task->arena);
}

enum err page_open(struct exchange *exchange, struct page *page)
{
	page_begin(exchange, web_of(exchange), page);
	page->browser = browser_value(exchange);
	return find_session(page);
}

enum err page_open_signed_in(struct exchange *exchange, struct page *page)
{
	TRY(page_open(exchange, page));
	if (!page->is_signed_in)
		return fail(page->task, ERR_LOGIN_REQUIRED, "not signed in");
	return OK;
}

enum err page_form(struct page *page, struct form *ret_form)
{
	static const char *const repeated[] = { "scope", NULL };
	struct form form;

	TRY(form_parse(page->task, page->exchange->request.body, &form));
	TRY(form_check_single(page->task, &form, repeated));
	*ret_form = form;
	return OK;
}

struct str page_text(const struct page *page, const char *key, const struct data *data)
{
	return locale_text(page->task, page->locale, str_from_c(key), data);
}

static void add_assets(struct page *page)
{
	static const struct {
		const char *key;
		struct str name;
	} used[] = {
		{ "style", STR_INIT("style.css") },
		{ "script", STR_INIT("app.js") },
		{ "icons", STR_INIT("icons.svg") },
	};
	struct data *assets = data_object(page->data, "assets");

	for (size_t i = 0; i < COUNT_OF(used); i++) {
		const struct asset *asset = assets_find(&page->web->assets, used[i].name);

		data_str(assets, used[i].key, asset == NULL ? STR("0") : asset->version);
	}
}

static void add_frame(struct page *page, const char *title)
{
	const struct config *config = authority_config(page->authority);
	struct data *data = page->data;

	data_str(data, "lang", locale_tag(page->locale));
	data_str(data, "dir", locale_direction(page->locale));
	data_str(data, "title", page_text(page, title, data));
	data_str(data, "issuer_host", config->issuer_host);
	data_str(data, "controller_name", config->controller_name);
	data_str(data, "controller_contact", config->controller_contact);
	data_str(data, "privacy_url", config->privacy_url);
	data_str(data, "support_url", config->support_url);
	add_assets(page);
	if (!page->is_signed_in)
		return;
	data_str(data, "username", page->user.username);
	words_monogram(page, data_object(data, "me"), page->user.id, page->user.username);
}

enum err page_send(struct page *page, unsigned status, const char *name, const char *title)
{
	struct template_view view = { str_from_c(name), page->data, page->locale, PAGE_MAX };
	struct str html;

	add_frame(page, title);
	TRY(template_render(page->task, page->web->templates, &view, &html));
	reply_with(page->exchange, status, STR("text/html; charset=utf-8"), html);
	reply_field(page->exchange, STR("Content-Language"), locale_tag(page->locale));
	page_headers(page->exchange, page->form_target);
	return OK;
}

enum err page_send_problem(struct page *page, unsigned status, const char *key)
{
	struct arena *arena = &page->task->arena;
	struct str title = STR_JOIN(arena, str_from_c(key), STR(".title"));
	struct str text = STR_JOIN(arena, str_from_c(key), STR(".text"));

	data_int(page->data, "status", status);
	data_str(page->data, "request_id", page->exchange->request_id);
	data_str(page->data, "text", page_text(page, text.at, page->data));
	return page_send(page, status, "error", title.at);
}

enum err page_go(struct page *page, struct str location)
{
	reply_redirect(page->exchange, 303, location);
	return OK;
}

static bool has_field(const struct reply *reply, struct str name)
{
	for (size_t i = 0; i < reply->field_count; i++)
		if (str_equals_nocase(reply->fields[i].name, name))
			return true;
	return false;
}

static struct str policy(struct exchange *exchange, struct str form_target)
{
	return STR_JOIN(&exchange->task.arena,
			STR("default-src 'none'; style-src 'self'; script-src 'self'; "
			    "img-src 'self'; connect-src 'self'; form-action 'self'"),
			form_target.len > 0 ? STR(" ") : STR(""),
			form_target.len > 0 ? form_target : STR(""),
			STR("; frame-ancestors 'none'; base-uri 'none'"));
}

/* No Cross-Origin-Opener-Policy: it hangs clients that wait for their pop-up (PAGES.md). */
void page_headers(struct exchange *exchange, struct str form_target)
{
	static const struct http_field fields[] = {
		{ STR_INIT("X-Frame-Options"), STR_INIT("DENY") },
		{ STR_INIT("Strict-Transport-Security"), STR_INIT("max-age=31536000") },
		{ STR_INIT("X-Content-Type-Options"), STR_INIT("nosniff") },
		{ STR_INIT("Cache-Control"), STR_INIT("no-store") },
		{ STR_INIT("Referrer-Policy"), STR_INIT("same-origin") },
	};

	if (!has_field(&exchange->reply, STR("Content-Security-Policy")))
		reply_field(exchange, STR("Content-Security-Policy"),
			    policy(exchange, form_target));
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (!has_field(&exchange->reply, fields[i].name))
			reply_field(exchange, fields[i].name, fields[i].value);
}

#define OWN_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/?=&_-.%"

/*
 * An agent that is not registered, or that registered itself: only for their questions somebody
 * signs in before what they publish is looked at.
 */
static bool names_stranger(struct str query)
{
	struct str part;

	while (str_next(&query, '&', &part))
		if (str_starts_with(part, STR("client_id=https")) ||
		    str_starts_with(part, STR("client_id=cli_")))
			return true;
	return false;
}

bool page_is_ours(struct str path)
{
	const struct str authorize = STR("/authorize?");

	/* an agent's question, with what agents write unescaped (RFC 3986 3.4) */
	if (str_starts_with(path, authorize))
		return names_stranger(str_from(path, authorize.len)) &&
		       path.len <= PAGE_QUESTION_MAX &&
		       str_only(path, OWN_CHARACTERS ":@!$'()*+,;~");
	if (!str_only(path, OWN_CHARACTERS) || path.len > 512)
		return false;
	return str_equals(path, STR("/account")) || str_starts_with(path, STR("/account/")) ||
	       str_starts_with(path, STR("/account?")) ||
	       str_starts_with(path, STR("/consent?request=")) ||
	       str_equals(path, STR("/device")) || str_starts_with(path, STR("/device?user_code="));
}
