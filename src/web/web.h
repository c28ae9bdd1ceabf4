/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people see: signing in, the consent page, the dashboard of their agents, their own
 * security, and the pages that word errors. PAGES.md is the law here. Pages are rendered from
 * templates that always escape; every action is a plain form. What may be done is authority's
 * affair.
 */
#pragma once

#include <stdbool.h>

#include "authority/consent.h"
#include "http/exchange.h"

struct web;

struct web_config {
	const struct authority *authority;
	struct str share_dir; /* with pages, static and locales */
};

/* config is copied; what it points to must outlive the door. */
struct web *web_new(const struct web_config *config);
/*
 * Reads templates, sentences and static files, once, before anybody asks. ERR_CONFIG with the file
 * and what is wrong with it.
 */
MUST_CHECK enum err web_read(struct task *task, struct web *web);
void web_free(struct web **web);
/* The last door: it also words what nobody has. */
const struct door *web_door(const struct web *web);

/* For the doors that need a page (struct oauth_config); web is a struct web. */

/* Leads to the sign-in and back. ERR_TOO_LARGE: the address is too long for that. */
MUST_CHECK enum err web_sign_in(struct exchange *exchange, void *web);
/* Fills the reply with a page that words the error for a person, and logs it. */
void web_error_page(struct exchange *exchange, enum err err, struct str back, void *web);
/*
 * In which browser it comes (a cookie is set on the reply when there is none), and who is signed in
 * there. May write: not on a loop.
 */
void web_who(struct exchange *exchange, void *web, struct consent_asked *ret_who);
/* Fills the reply with the question; OK without a reply: the person has to sign in first. */
MUST_CHECK enum err web_ask(struct exchange *exchange, void *web, const struct consent_asked *who,
			    struct authorize_wish *wish);
