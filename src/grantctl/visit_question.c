/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorization request, followed through its redirects as a browser would: to a page that asks
 * a person to sign in, to an error page, or back to the client with an error.
 */
#include "base/url.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "grantctl/visit.h"
#include "http/form.h"
#include "http/parameter.h"

#define ADDRESS_MAX (32 * 1024)
#define TEXT_MAX    400
#define HOPS_MAX    5
#define CHECK	    "authorization request"

/* --- what stands in a page of ours --- */

/* Behind the first of these words in the page, up to that character; STR_NONE: not there. */
static struct str behind(struct str page, struct str words, char end)
{
	for (size_t i = 0; i + words.len <= page.len; i++) {
		struct str rest = str_from(page, i);

		if (!str_starts_with(rest, words))
			continue;
		rest = str_from(rest, words.len);
		return str_sub(rest, 0, str_find(rest, end));
	}
	return STR_NONE;
}

/* What http/template escapes. */
static struct str unescaped(struct arena *arena, struct str text)
{
	static const struct {
		struct str entity;
		char character;
	} entities[] = {
		{ STR_INIT("&amp;"), '&' },  { STR_INIT("&lt;"), '<' },	  { STR_INIT("&gt;"), '>' },
		{ STR_INIT("&quot;"), '"' }, { STR_INIT("&#39;"), '\'' },
	};
	struct buf buf = buf_in(arena, text.len + 1);

	while (text.len > 0) {
		size_t taken = 1;
		char character = text.at[0];

		for (size_t i = 0; i < COUNT_OF(entities); i++)
			if (str_starts_with(text, entities[i].entity)) {
				taken = entities[i].entity.len;
				character = entities[i].character;
			}
		buf_add_char(&buf, character);
		text = str_from(text, taken);
	}
	return buf_finish(&buf, &text) == OK ? text : STR("");
}

static bool asks_to_sign_in(struct str page)
{
	return behind(page, STR("action=\"/login\""), '>').at != NULL &&
	       behind(page, STR("name=\"password\""), '>').at != NULL;
}

/* --- how it ends --- */

#define SCOPE_ADVICE                                                                               \
	STR_INIT(". What clients ask for is scopes_supported of the resource, which must be "      \
		 "scopes of its file (grantctl resource show NAME)")

/* For what can be put right here: by how the reason begins. */
static struct str advice_for(const struct visit *visit, struct str reason)
{
	static const struct {
		struct str beginning, advice;
		bool is_of_scope;
	} advices[] = {
		{ STR_INIT("scope number "), SCOPE_ADVICE, true },
		{ STR_INIT("scope has nothing "), SCOPE_ADVICE, true },
		{ STR_INIT("scope is missing"),
		  STR_INIT(". It names none: give a scope in the file of the resource \"default\": "
			   "true"),
		  false },
		{ STR_INIT("the resource is not known here"),
		  STR_INIT(". Add its file, with that uri: grantctl resource add FILE.json"),
		  false },
		{ STR_INIT("this agent has to send its requests to /par"),
		  STR_INIT(". It cannot: set require_pushed_requests = no"), false },
	};

	for (size_t i = 0; i < COUNT_OF(advices); i++)
		if (str_starts_with(reason, advices[i].beginning))
			return advices[i].is_of_scope
				       ? STR_JOIN(&visit->task->arena, advices[i].advice,
						  visit_scope_advice(visit))
				       : advices[i].advice;
	return STR("");
}

/* What was asked for, where that is what was refused. */
static struct str asked_for(const struct visit *visit, struct str reason, struct str scope)
{
	struct arena *arena = &visit->task->arena;

	if (str_starts_with(reason, STR("scope")))
		return scope.at == NULL ? STR(" (it sent no scope)")
					: STR_JOIN(arena, STR(" (it sent scope="),
						   str_sub(scope, 0, TEXT_MAX), STR(")"));
	if (str_starts_with(reason, STR("the resource")))
		return STR_JOIN(arena, STR(" (it sent resource="), visit->audience, STR(")"));
	return STR("");
}

static enum err refuse_page(struct visit *visit, const struct http_answer *answer, struct str scope)
{
	struct arena *arena = &visit->task->arena;
	struct str heading = behind(answer->body, STR("<h1>"), '<');
	struct str reason = behind(answer->body, STR("<p class=\"detail\">"), '<');

	if (heading.at == NULL)
		return visit_fails(
			visit, CHECK,
			str_printf(arena,
				   "it ends at a page that is none of grantd's (status %u): does "
				   "something in front of it answer in its place?",
				   answer->status));
	heading = unescaped(arena, str_sub(heading, 0, TEXT_MAX));
	reason = unescaped(arena, str_sub(reason, 0, TEXT_MAX));
	if (visit->is_document && str_equals(heading, STR("This agent is not known here")))
		return visit_fails(
			visit, CHECK,
			str_printf(arena,
				   "client_metadata_allow or client_metadata_deny leaves its "
				   "domain out (%.*s). Change that, or let in this one: grantctl "
				   "client pin %.*s",
				   STR_FMT(heading), STR_FMT(visit->client_id)));
	if (answer->status < 400)
		return visit_fails(
			visit, CHECK,
			STR_JOIN(arena,
				 STR("its person ends at a page that asks nobody to sign "
				     "in: "),
				 heading));
	return visit_fails(
		visit, CHECK,
		STR_JOIN(arena,
			 str_printf(arena, "its person ends at an error page (status %u, ",
				    answer->status),
			 heading, reason.len > 0 ? STR("): ") : STR(")"), reason,
			 asked_for(visit, reason, scope), advice_for(visit, reason)));
}

/* OAuth 2.1 4.1.2.1 */
static enum err refuse_answer(struct visit *visit, struct str query, struct str scope)
{
	struct arena *arena = &visit->task->arena;
	struct str error, reason;
	struct form form = { 0 };

	if (form_parse(visit->task, query, &form) != OK)
		task_forgive(visit->task);
	error = form_get(&form, "error");
	reason = form_get(&form, "error_description");
	if (error.at == NULL)
		return visit_fails(visit, CHECK,
				   STR("it is sent back at once, and nobody was asked anything"));
	return visit_fails(visit, CHECK,
			   STR_JOIN(arena, STR("it is sent back at once with error="), error,
				    reason.at != NULL ? STR(": ") : STR(""), reason,
				    asked_for(visit, reason, scope), advice_for(visit, reason)));
}

/* --- the way --- */

/* A browser on its way through the redirects of one site. */
struct browser {
	struct str url;
	struct str cookie; /* of the site; STR_NONE */
	struct str scope;  /* that was asked for; STR_NONE */
};

static void take_cookie(struct visit *visit, const struct http_answer *answer,
			struct browser *browser)
{
	struct str head = answer->head, field;

	while (http_next_field(&head, STR("Set-Cookie"), &field)) {
		struct str pair = str_sub(field, 0, str_find(field, ';'));

		browser->cookie = browser->cookie.at == NULL
					  ? pair
					  : STR_JOIN(&visit->task->arena, browser->cookie,
						     STR("; "), pair);
	}
}

/* Of the address that it waits at, what stands behind it; STR_NONE: that is another address. */
static struct str answer_in(const struct visit *visit, struct str location)
{
	struct str waits = visit_text(visit, "authorize", "redirect_uri");
	struct str rest = str_from(location, waits.len);

	if (!str_starts_with(location, waits) || (rest.len > 0 && rest.at[0] != '?'))
		return STR_NONE;
	return rest.len > 0 ? str_from(rest, 1) : STR("");
}

static enum err follow(struct visit *visit, struct str location, struct browser *browser)
{
	struct arena *arena = &visit->task->arena;
	struct str answer = answer_in(visit, location);
	struct url url;

	if (answer.at != NULL)
		return refuse_answer(visit, answer, browser->scope);
	if (str_starts_with(location, STR("/")) && !str_starts_with(location, STR("//"))) {
		browser->url = STR_JOIN(arena, visit->server.origin, location);
		return OK;
	}
	if (url_parse(location, &url) == OK &&
	    str_equals(url_origin(arena, &url), visit->server.origin)) {
		browser->url = location;
		return OK;
	}
	return visit_fails(visit, CHECK,
			   str_printf(arena,
				      "its person is sent away, to %.*s, before grantd has asked "
				      "anything: something in front of it answers in its place",
				      STR_FMT(location)));
}

static enum err browse(struct visit *visit, struct browser *browser)
{
	for (size_t i = 0; i < HOPS_MAX; i++) {
		struct visit_request request = { .method = "GET",
						 .url = browser->url,
						 .told_by = &visit->server,
						 .field = "Accept: text/html",
						 .cookie = browser->cookie };
		struct http_answer answer = { 0 };
		struct str location;

		TRY(visit_ask(visit, CHECK, &request, &answer));
		location = http_answer_field(&answer, STR("Location"));
		if (answer.status == 200 && asks_to_sign_in(answer.body))
			return OK;
		if (answer.status < 301 || answer.status > 303 || location.at == NULL)
			return refuse_page(visit, &answer, browser->scope);
		take_cookie(visit, &answer, browser);
		TRY(follow(visit, location, browser));
	}
	return visit_fails(visit, CHECK, STR("it is sent on and on, and reaches no page"));
}

static enum err ask(struct visit *visit, struct str verifier, struct str scope)
{
	struct arena *arena = &visit->task->arena;
	const struct parameter parameters[] = {
		{ "response_type", STR("code") },
		{ "client_id", visit->client_id },
		{ "redirect_uri", visit_text(visit, "authorize", "redirect_uri") },
		{ "code_challenge", base64url_encode(arena, sha256_str(arena, verifier)) },
		{ "code_challenge_method", STR("S256") },
		{ "state", visit_sends(visit, "authorize", "state") ? STR("doctor") : STR_NONE },
		{ "scope", scope },
		{ "resource",
		  visit_sends(visit, "authorize", "resource") ? visit->audience : STR_NONE },
	};
	struct browser browser = { .scope = scope };
	struct buf url = buf_in(arena, ADDRESS_MAX);

	buf_add(&url, json_get_str(visit->metadata, "authorization_endpoint"));
	buf_add_char(&url, '?');
	parameters_add(&url, parameters, COUNT_OF(parameters));
	TRY(buf_finish(&url, &browser.url));
	return browse(visit, &browser);
}

enum err visit_question(struct visit *visit, struct str verifier)
{
	struct str scope = visit_scope(visit);

	TRY(ask(visit, verifier, scope));
	/* ChatGPT asks with, and when it connects again without */
	if (scope.at != NULL && visit_sends(visit, "authorize", "scope_left_out"))
		TRY(ask(visit, verifier, STR_NONE));
	visit_finds(
		visit, "ok", CHECK,
		scope.at == NULL
			? STR("a person is asked to sign in, and then asked (it sends no scope)")
			: STR_JOIN(&visit->task->arena,
				   STR("a person is asked to sign in, and then asked for: "),
				   str_sub(scope, 0, TEXT_MAX)));
	return OK;
}
