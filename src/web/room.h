/* SPDX-License-Identifier: Apache-2.0 */
/* The door's own state, made once and never changed; and its routes. For src/web only. */
#pragma once

#include "http/exchange.h"
#include "http/locale.h"
#include "http/template.h"
#include "web/assets.h"
#include "web/web.h"

struct web {
	struct web_config config;
	struct arena arena;
	struct template_set *templates;
	struct locale_set *locales;
	struct assets assets;
	struct door door;
};

static inline struct web *web_of(const struct exchange *exchange)
{
	return exchange->door->context;
}

struct page;
/* What keeps a person from being asked (consent.h), in words that say how to start again. */
enum err web_refuse_request(struct page *page, enum err err);

enum err web_home(struct exchange *exchange);
enum err web_login_form(struct exchange *exchange);
enum err web_login(struct exchange *exchange);
enum err web_logout_form(struct exchange *exchange);
enum err web_logout(struct exchange *exchange);
enum err web_consent_form(struct exchange *exchange);
enum err web_consent(struct exchange *exchange);
enum err web_device_form(struct exchange *exchange);
enum err web_device(struct exchange *exchange);
enum err web_device_done(struct exchange *exchange);
enum err web_account(struct exchange *exchange);
enum err web_account_change(struct exchange *exchange);
enum err web_agent(struct exchange *exchange);
enum err web_agent_change(struct exchange *exchange);
enum err web_agent_revoke(struct exchange *exchange);
enum err web_installation(struct exchange *exchange);
enum err web_installation_change(struct exchange *exchange);
enum err web_receipt(struct exchange *exchange);
enum err web_activity(struct exchange *exchange);
enum err web_security(struct exchange *exchange);
enum err web_security_change(struct exchange *exchange);
enum err web_errors(struct exchange *exchange);
enum err web_static(struct exchange *exchange);
