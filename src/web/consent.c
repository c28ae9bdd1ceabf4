/* SPDX-License-Identifier: Apache-2.0 */
#include "authority/consent.h"

#include "base/url.h"
#include "crypto/random.h"
#include "web/consent_view.h"
#include "web/csrf.h"
#include "web/room.h"

static enum err request_id_of(struct page *page, struct str *ret_id)
{
	struct form query;
	struct str id;

	TRY(form_parse(page->task, page->exchange->request.query, &query));
	id = form_get(&query, "request");
	if (form_count(&query, "request") != 1 || !id_is_valid(id, "req_"))
		return fail(page->task, ERR_NOT_FOUND, "no request is named");
	*ret_id = id;
	return OK;
}

/*
 * Chromium stops the redirect after a form under form-action 'self', so this page names where it
 * will lead. The policy's grammar has no IPv6 literal: there the scheme must do.
 */
static struct str form_target(struct arena *arena, struct str redirect_uri)
{
	struct url url;

	if (url_parse(redirect_uri, &url) != OK)
		return STR_NONE;
	if (url.host.len == 0 || url.host.at[0] == '[')
		return STR_JOIN(arena, url.scheme, STR(":"));
	if (!str_equals_nocase(url.scheme, STR("http")) &&
	    !str_equals_nocase(url.scheme, STR("https")))
		return STR_JOIN(arena, url.scheme, STR(":"));
	return url_origin(arena, &url);
}

/* The form is for this request, and for these very words. */
static struct str purpose_of(struct arena *arena, struct str id, struct str fingerprint)
{
	return STR_JOIN(arena, STR("consent:"), id, STR(":"), fingerprint);
}

enum err web_refuse_request(struct page *page, enum err err)
{
	static const struct {
		enum err err;
		unsigned status;
		const char *key;
	} pages[] = {
		{ ERR_NOT_FOUND, 404, "consent.gone" },
		{ ERR_FORBIDDEN, 403, "consent.not_yours" },
		{ ERR_CONFLICT, 409, "consent.answered" },
	};

	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		if (pages[i].err != err)
			continue;
		log_info(page->task, "consent.refused", LOG_STR("error", str_from_c(err_name(err))),
			 LOG_STR("reason", page->task->reason));
		return page_send_problem(page, pages[i].status, pages[i].key);
	}
	return err;
}

static enum err sign_in_again(struct page *page, struct str id)
{
	task_forgive(page->task);
	return page_go(page, STR_JOIN(&page->task->arena,
				      STR("/login?again=1&next=%2Fconsent%3Frequest%3D"), id));
}

/* What came of it after the commit is not what was expected: a page of its own. */
static enum err refuse_late(struct task *task, enum err err)
{
	struct page page = { 0 };
	struct exchange *exchange = exchange_of(task);

	exchange->reply = (struct reply){ 0 };
	page_begin(exchange, web_of(exchange), &page);
	return web_refuse_request(&page, err);
}

/* The page stands in the reply already, and goes out now. */
static enum err go_out(struct task *task, enum err result, void *arg)
{
	(void)arg;
	return result == OK ? OK : refuse_late(task, result);
}

/* status 200, or 400 with a word on what is missing. */
static enum err put(struct page *page, const struct consent_view *view, unsigned status,
		    const char *problem)
{
	struct question question = { 0 };
	struct str id = view->request.id;

	if (problem != NULL)
		data_str(page->data, "problem", page_text(page, problem, NULL));
	else
		page->locale = locale_choose(page->web->locales, view->request.ui_locales,
					     locale_tag(page->locale));
	TRY(question_build(page, view, &question));
	data_str(page->data, "request", id);
	data_str(page->data, "shown", question.fingerprint);
	data_str(page->data, "client_name", view->client.name);
	page->form_target = form_target(&page->task->arena, view->request.redirect_uri);
	csrf_add(page, purpose_of(&page->task->arena, id, question.fingerprint));
	return page_send(page, status, "consent", "consent.title");
}

static enum err show(struct page *page, struct str id, unsigned status, const char *problem)
{
	struct consent_view *view = NEW(&page->task->arena, struct consent_view);
	enum err err;

	err = consent_show(page->task, page->authority,
			   &(struct consent_asked){ id, page->browser,
						    page->exchange->request.peer.address,
						    &page->session, &page->user },
			   view);
	if (err == ERR_LOGIN_REQUIRED)
		return sign_in_again(page, id);
	if (err != OK)
		return web_refuse_request(page, err);
	TRY(put(page, view, status, problem));
	err = consent_shown(page->task, page->authority, view, go_out);
	return err == ERR_PARKED ? ERR_PARKED : refuse_late(page->task, err);
}

enum err web_ask(struct exchange *exchange, void *web, const struct consent_asked *who,
		 struct authorize_wish *wish)
{
	struct page page = { 0 };
	struct consent_view *view = NEW(&exchange->task.arena, struct consent_view);
	enum err err;

	page_begin(exchange, web, &page);
	page_let_in(&page, who->browser, who->session, who->user);
	err = consent_show_new(page.task, page.authority, who, wish, view);
	if (err == ERR_LOGIN_REQUIRED) {
		task_forgive(page.task);
		return OK;
	}
	TRY(err);
	return put(&page, view, 200, NULL);
}

enum err web_consent_form(struct exchange *exchange)
{
	struct page page = { 0 };
	struct str id;
	enum err err;

	TRY(page_open(exchange, &page));
	err = request_id_of(&page, &id);
	if (err == ERR_NOT_FOUND)
		return web_refuse_request(&page, err);
	TRY(err);
	if (!page.is_signed_in)
		return fail(page.task, ERR_LOGIN_REQUIRED, "not signed in");
	return show(&page, id, 200, NULL);
}

/* Each ticked box is one name: what squeezes several into one was not sent by our form. */
static enum err join_ticked(struct page *page, const struct form *form, struct str *ret_text)
{
	struct buf buf = buf_in(&page->task->arena, HTTP_BODY_MAX);
	struct str name;

	for (size_t i = 0; i < form_count(form, "scope"); i++) {
		name = form_get_nth(form, "scope", i);
		if (str_has(name, ' '))
			return fail(page->task, ERR_REQUEST, "a scope's name has a space");
		if (i > 0)
			buf_add_char(&buf, ' ');
		buf_add(&buf, name);
	}
	return buf_finish(&buf, ret_text);
}

static enum err read_scopes(struct page *page, const struct form *form,
			    const struct question *question, struct consent_answer *answer)
{
	struct str joined, *words;
	int64_t ends_at = 0;

	TRY(join_ticked(page, form, &joined));
	if (scope_parse(page->task, joined, &answer->scope) != OK)
		return ERR_REQUEST;
	TRY(duration_end(page->task, answer->duration, page->task->now, &ends_at));
	words = NEW_ARRAY(&page->task->arena, struct str, answer->scope.count);
	for (size_t i = 0; i < answer->scope.count; i++)
		TRY(question_words(question, answer->scope.names[i], ends_at, &words[i]));
	answer->words = words;
	return OK;
}

static enum err read_answer(struct page *page, const struct form *form,
			    const struct question *question, struct consent_answer *answer)
{
	struct str decision = form_get(form, "decision");

	if (!str_equals(decision, STR("allow")) && !str_equals(decision, STR("deny")))
		return fail(page->task, ERR_REQUEST, "neither allow nor deny");
	*answer = (struct consent_answer){
		.allow = str_equals(decision, STR("allow")),
		.duration = form_get(form, "duration"),
		.language = locale_tag(page->locale),
		.version = STR(CONSENT_VERSION),
		.address = page->exchange->request.peer.address,
		.user_agent = request_field(&page->exchange->request, STR("User-Agent")),
		.sentences = question->sentences,
	};
	if (!answer->allow)
		return OK;
	return read_scopes(page, form, question, answer);
}

/* ERR_REQUEST asks again; the reason is one of ours. */
static enum err ask_again(struct page *page, struct str id, const char *problem)
{
	log_info(page->task, "consent.asked_again", LOG_STR("reason", page->task->reason));
	task_forgive(page->task);
	return show(page, id, 400, problem);
}

/* To the client, with what was decided. */
static enum err go_on(struct task *task, enum err result, void *arg)
{
	const struct consent_decision *decision = arg;

	if (result != OK)
		return refuse_late(task, result);
	log_info(task, "consent.answered", LOG_STR("request", decision->view->request.id),
		 LOG_STR("decision", decision->answer.allow ? STR("allow") : STR("deny")));
	reply_redirect(exchange_of(task), 303, decision->location);
	return OK;
}

static enum err decide(struct page *page, const struct form *form, const struct question *question,
		       struct str id)
{
	struct consent_decision *decision = NEW(&page->task->arena, struct consent_decision);
	enum err err;

	decision->view = question->view;
	decision->session = &page->session;
	err = read_answer(page, form, question, &decision->answer);
	if (err == OK && decision->answer.allow && decision->answer.scope.count == 0)
		return ask_again(page, id, "consent.nothing_ticked");
	if (err == OK)
		err = consent_decide(page->task, page->authority, decision, go_on);
	if (err == ERR_PARKED)
		return ERR_PARKED;
	if (err == ERR_REQUEST)
		return ask_again(page, id, "consent.not_understood");
	if (err != OK)
		return web_refuse_request(page, err);
	return go_on(page->task, OK, decision);
}

enum err web_consent(struct exchange *exchange)
{
	struct page page = { 0 };
	struct question question = { 0 };
	struct consent_view *view = NEW(&exchange->task.arena, struct consent_view);
	struct str id, shown;
	struct form form;
	enum err err;

	TRY(page_open_signed_in(exchange, &page));
	TRY(request_id_of(&page, &id));
	TRY(page_form(&page, &form));
	shown = form_get(&form, "shown");
	TRY(csrf_check(&page, &form, purpose_of(&page.task->arena, id, shown)));
	err = consent_reopen(page.task, page.authority,
			     &(struct consent_asked){ id, page.browser,
						      exchange->request.peer.address, &page.session,
						      &page.user },
			     view);
	if (err == ERR_LOGIN_REQUIRED)
		return sign_in_again(&page, id);
	if (err != OK)
		return web_refuse_request(&page, err);
	page.locale = locale_choose(page.web->locales, form_get(&form, "language"),
				    locale_tag(page.locale));
	TRY(question_build(&page, view, &question));
	if (!str_equals(question.fingerprint, shown) && view->request.state == REQUEST_PENDING)
		return ask_again(&page, id, "consent.changed");
	return decide(&page, &form, &question, id);
}
