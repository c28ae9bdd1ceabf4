/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorization server's endpoints over HTTP: metadata (RFC 8414, OpenID Connect Discovery),
 * JWKS, authorize, token (OAuth 2.1), device_authorization (RFC 8628), introspect (RFC 7662),
 * revoke (RFC 7009), userinfo (OpenID Connect Core 5.3), registration (RFC 7591, RFC 7592). Thin
 * doors: each takes a request apart, asks authority/ one question and words the answer. Pages are
 * web's affair; the little that authorize needs of them comes down as function pointers.
 */
#pragma once

#include <stdbool.h>

#include "authority/consent.h"
#include "http/exchange.h"

struct oauth;

struct oauth_config {
	const struct authority *authority;
	/*
	 * Fills the reply with a page that words the error for a person, and logs it. back: where
	 * the agent waits for the error, for who wants to go there all the same; STR_NONE: nowhere.
	 */
	void (*error_page)(struct exchange *exchange, enum err err, struct str back, void *web);
	/*
	 * In which browser it comes (a cookie is set on the reply when there is none), and who is
	 * signed in there. Task memory.
	 */
	void (*who)(struct exchange *exchange, void *web, struct consent_asked *ret_who);
	/*
	 * Fills the reply with the question, before the request is kept, and says so in
	 * wish->request. OK without a reply: the person has to sign in first.
	 */
	enum err (*ask)(struct exchange *exchange, void *web, const struct consent_asked *who,
			struct authorize_wish *wish);
	/*
	 * Leads to the sign-in, and back to where we are. ERR_TOO_LARGE: that is too long an
	 * address.
	 */
	enum err (*sign_in)(struct exchange *exchange, void *web);
	void *web;
};

/* config is copied; what it points to must outlive the door. */
MUST_CHECK enum err oauth_open(struct task *task, const struct oauth_config *config,
			       struct oauth **ret_oauth);
void oauth_free(struct oauth **oauth);
const struct door *oauth_door(const struct oauth *oauth);
