/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One page for one exchange: who looks at it, in which language, what the template sees, and the
 * headers that every page has (PAGES.md).
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "http/data.h"
#include "http/exchange.h"
#include "http/form.h"
#include "http/locale.h"
#include "model/session.h"
#include "model/user.h"

struct web;
struct authority;

/*
 * A page of an ordinary account has at most 60 KB (tools/pages looks); but whoever has 200 agents
 * must be able to stop them.
 */
#define PAGE_MAX (256 * 1024)

struct page {
	struct exchange *exchange;
	struct task *task;
	const struct web *web;
	const struct authority *authority;
	const struct locale *locale;
	struct data *data;
	struct str browser;
	bool is_signed_in;
	struct session session; /* of whoever is signed in */
	struct user user;
	struct str form_target; /* where a form may lead besides ourselves; STR_NONE */
};

/* Without looking who it is: for errors, also of other doors. */
void page_begin(struct exchange *exchange, const struct web *web, struct page *page);
/* Who it is has been looked up already: page_begin, then this. */
void page_let_in(struct page *page, struct str browser, const struct session *session,
		 const struct user *user);
/* Also for who is not signed in. */
MUST_CHECK enum err page_open(struct exchange *exchange, struct page *page);
/* ERR_LOGIN_REQUIRED; the door's refusal leads to /login and back. */
MUST_CHECK enum err page_open_signed_in(struct exchange *exchange, struct page *page);
/* The form that was posted; every name once, but `scope`. ERR_REQUEST. */
MUST_CHECK enum err page_form(struct page *page, struct form *ret_form);

/* A sentence of the page's language, filled from data (may be NULL). */
struct str page_text(const struct page *page, const char *key, const struct data *data);
/* Renders template `name`, titled by the sentence `title` (filled from the page's data). */
MUST_CHECK enum err page_send(struct page *page, unsigned status, const char *name,
			      const char *title);
/* A page that says what went wrong: sentences "KEY.title" and "KEY.text". */
MUST_CHECK enum err page_send_problem(struct page *page, unsigned status, const char *key);
/* 303. */
MUST_CHECK enum err page_go(struct page *page, struct str location);

/* The headers that every answer of this door has; adds what is not there yet. */
void page_headers(struct exchange *exchange, struct str form_target);
/* An agent's question that is come back to after signing in is no longer. */
#define PAGE_QUESTION_MAX (HTTP_TARGET_MAX / 2)
/*
 * Where a person may be sent after signing in: the consent page, the page for a device's code, the
 * account, or an agent's question once more; nowhere else.
 */
bool page_is_ours(struct str path);
