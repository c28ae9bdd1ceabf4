/* SPDX-License-Identifier: Apache-2.0 */
#include "web/web.h"

#include <stdlib.h>

#include "web/page.h"
#include "web/refuse.h"
#include "web/room.h"

static const struct route routes[] = {
	{ "GET", "/", web_home, LANE_LOOP },
	{ "GET", "/login", web_login_form, LANE_PAGES },
	{ "POST", "/login", web_login, LANE_SLOW, ROUTE_FORM },
	{ "GET", "/logout", web_logout_form, LANE_PAGES },
	{ "POST", "/logout", web_logout, LANE_PAGES, ROUTE_FORM },
	{ "GET", "/consent", web_consent_form, LANE_STORE },
	{ "POST", "/consent", web_consent, LANE_STORE, ROUTE_FORM },
	{ "GET", "/device", web_device_form, LANE_PAGES },
	{ "POST", "/device", web_device, LANE_STORE, ROUTE_FORM },
	{ "GET", "/device/done", web_device_done, LANE_PAGES },
	{ "GET", "/account", web_account, LANE_PAGES },
	{ "POST", "/account", web_account_change, LANE_PAGES, ROUTE_FORM },
	{ "GET", "/account/agents/{id}", web_agent, LANE_PAGES },
	{ "POST", "/account/agents/{id}", web_agent_change, LANE_PAGES, ROUTE_FORM },
	{ "GET", "/account/agents/{id}/revoke", web_agent_revoke, LANE_PAGES },
	{ "GET", "/account/agents/{id}/receipt", web_receipt, LANE_PAGES },
	{ "GET", "/account/agents/{id}/installations/{family}", web_installation, LANE_PAGES },
	{ "POST", "/account/agents/{id}/installations/{family}", web_installation_change,
	  LANE_PAGES, ROUTE_FORM },
	{ "GET", "/account/activity", web_activity, LANE_PAGES },
	{ "GET", "/account/security", web_security, LANE_PAGES },
	{ "POST", "/account/security", web_security_change, LANE_SLOW, ROUTE_FORM },
	{ "GET", "/errors", web_errors, LANE_PAGES },
	{ "GET", "/static/{file}", web_static, LANE_LOOP },
};

static void finish(struct exchange *exchange)
{
	page_headers(exchange, STR_NONE);
}

struct web *web_new(const struct web_config *config)
{
	struct web *web = calloc(1, sizeof(*web));

	if (web == NULL)
		abort(); /* out of memory ends the process (base/arena.h) */
	web->config = *config;
	web->door = (struct door){
		.routes = routes,
		.route_count = COUNT_OF(routes),
		.context = web,
		.refuse = web_refuse,
		.finish = finish,
	};
	return web;
}

static struct str folder_of(struct task *task, const struct web_config *config, struct str name)
{
	return STR_JOIN(&task->arena, config->share_dir, STR("/"), name);
}

enum err web_read(struct task *task, struct web *web)
{
	const struct web_config *config = &web->config;

	TRY(assets_load(task, &web->arena, folder_of(task, config, STR("static")), &web->assets));
	TRY(template_set_load(task, folder_of(task, config, STR("pages")), &web->templates));
	return locale_set_load(task, folder_of(task, config, STR("locales")), &web->locales);
}

void web_free(struct web **web)
{
	if (*web == NULL)
		return;
	template_set_free(&(*web)->templates);
	locale_set_free(&(*web)->locales);
	arena_free(&(*web)->arena);
	free(*web);
	*web = NULL;
}

const struct door *web_door(const struct web *web)
{
	return &web->door;
}

enum err web_home(struct exchange *exchange)
{
	reply_redirect(exchange, 303, STR("/account"));
	return OK;
}
