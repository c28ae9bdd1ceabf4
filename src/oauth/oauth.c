/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/oauth.h"

#include <stdlib.h>

#include "oauth/endpoints.h"
#include "oauth/metadata.h"
#include "oauth/reply.h"

/* Anything below the well-known paths is 404: our issuer has no path (RFC 8414 3). */
static const struct route routes[] = {
	{ "GET", "/.well-known/oauth-authorization-server", oauth_metadata, LANE_LOOP, ROUTE_CORS },
	{ "GET", "/.well-known/openid-configuration", oauth_metadata, LANE_LOOP, ROUTE_CORS },
	{ "GET", "/jwks.json", oauth_jwks, LANE_LOOP, ROUTE_CORS },
	{ "GET", "/jwks/{file}", oauth_resource_jwks, LANE_LOOP, ROUTE_CORS },
	/* OAuth 2.1 3.1: no CORS at the authorization endpoint */
	{ "GET", "/authorize", oauth_authorize, LANE_STORE, 0 },
	{ "POST", "/authorize", oauth_authorize, LANE_STORE, ROUTE_FORM },
	{ "POST", "/par", oauth_par, LANE_STORE, ROUTE_FORM },
	{ "POST", "/token", oauth_token, LANE_STORE, ROUTE_FORM | ROUTE_CORS },
	{ "POST", "/device_authorization", oauth_device, LANE_STORE, ROUTE_FORM | ROUTE_CORS },
	{ "POST", "/introspect", oauth_introspect, LANE_STORE, ROUTE_FORM },
	{ "POST", "/revoke", oauth_revoke, LANE_STORE, ROUTE_FORM | ROUTE_CORS },
	{ "GET", "/userinfo", oauth_userinfo, LANE_STORE, ROUTE_CORS },
	{ "POST", "/userinfo", oauth_userinfo, LANE_STORE, ROUTE_CORS },
	{ "POST", "/register", oauth_register, LANE_STORE, ROUTE_JSON | ROUTE_CORS },
	{ "GET", "/register/{id}", oauth_registration_read, LANE_STORE, ROUTE_CORS },
	{ "PUT", "/register/{id}", oauth_registration_change, LANE_STORE, ROUTE_JSON | ROUTE_CORS },
	{ "DELETE", "/register/{id}", oauth_registration_delete, LANE_STORE, ROUTE_CORS },
};

enum err oauth_open(struct task *task, const struct oauth_config *config, struct oauth **ret_oauth)
{
	struct oauth *oauth = calloc(1, sizeof(*oauth));

	if (oauth == NULL)
		return fail(task, ERR_INTERNAL, "out of memory");
	oauth->config = *config;
	oauth->metadata = metadata_cache_new();
	oauth->door = (struct door){
		.routes = routes,
		.route_count = COUNT_OF(routes),
		.context = oauth,
		.refuse = oauth_refuse,
		.finish = oauth_finish,
	};
	*ret_oauth = oauth;
	return OK;
}

void oauth_free(struct oauth **oauth)
{
	if (*oauth == NULL)
		return;
	metadata_cache_free(&(*oauth)->metadata);
	free(*oauth);
	*oauth = NULL;
}

const struct door *oauth_door(const struct oauth *oauth)
{
	return &oauth->door;
}

const struct oauth *oauth_of(const struct exchange *exchange)
{
	return exchange->door->context;
}

const struct authority *oauth_authority(const struct exchange *exchange)
{
	return oauth_of(exchange)->config.authority;
}
