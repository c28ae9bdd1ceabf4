/* SPDX-License-Identifier: Apache-2.0 */
#include "grantd/routes.h"

#include <unistd.h>

#include "grantd/app.h"

_Static_assert(CONFIG_LOOPS_MAX <= HTTP_LOOPS_MAX, "as many loops as were asked for");

#define SLOW_NICENESS 15 /* about 4 % of a core that all others want */

/*
 * public oauth /.well-known/… /jwks.json /authorize /token /introspect /revoke /userinfo /register
 *          web     /login /logout /consent /account… /static/…, and the page for what nobody has
 * admin    admin   /v1/…, on the unix socket
 * ops      ops     /livez /readyz /metrics
 */

static void add_listener(struct routes *routes, struct http_listener listener)
{
	routes->listeners[routes->listener_count++] = listener;
}

static void plan_doors(struct app *app)
{
	struct routes *routes = &app->routes;
	bool is_closed = app->ops.trouble.at != NULL;
	const struct door *closed = &app->ops.closed;

	routes->public_doors[0] = is_closed ? closed : oauth_door(app->oauth);
	routes->public_doors[1] = is_closed ? closed : web_door(app->web);
	routes->admin_doors[0] = is_closed ? closed : admin_door(app->admin);
	routes->ops_doors[0] = &app->ops.door;
}

static void plan_listeners(struct app *app, const struct config *config)
{
	struct routes *routes = &app->routes;

	add_listener(routes, (struct http_listener){ .name = STR("public"),
						     .address = config->listen,
						     .tls = app->tls,
						     .doors = routes->public_doors,
						     .door_count = COUNT_OF(routes->public_doors),
						     .unix_mode = 0666 });
	add_listener(routes, (struct http_listener){ .name = STR("admin"),
						     .address = STR_JOIN(&app->arena, STR("unix:"),
									 config->admin_socket),
						     .doors = routes->admin_doors,
						     .door_count = COUNT_OF(routes->admin_doors),
						     .unix_mode = 0660 });
	if (config->ops_listen.len > 0)
		add_listener(routes,
			     (struct http_listener){ .name = STR("ops"),
						     .address = config->ops_listen,
						     .doors = routes->ops_doors,
						     .door_count = COUNT_OF(routes->ops_doors),
						     .unix_mode = 0666 });
}

static unsigned cores(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : (unsigned)count;
}

/*
 * argon2id takes 19 MiB and a core for each. At most every other core hashes, so that who wakes to
 * answer finds one that does not: niceness alone gives a thread way only when its slice ends, some
 * milliseconds later. SCHED_IDLE would give way at once, but whoever floods us with requests for
 * tokens would then keep people from signing in to stop it.
 */
void routes_plan_lanes(struct app *app, const struct config *config)
{
	struct routes *routes = &app->routes;
	bool may_block = !str_starts_with(config->database, STR("sqlite:"));

	routes->loops = http_loops(config->loops);
	routes->lanes[LANE_STORE] = (struct http_lane){ may_block ? 8 : 0, 1024 };
	routes->lanes[LANE_PAGES] = (struct http_lane){ 2, 256 };
	routes->lanes[LANE_SLOW] = (struct http_lane){ (cores() + 1) / 2, 64, SLOW_NICENESS };
	routes->threads = routes->loops;
	for (int lane = 0; lane < LANE_COUNT; lane++)
		routes->threads += routes->lanes[lane].workers;
}

void routes_plan_doors(struct app *app, const struct config *config)
{
	plan_doors(app);
	plan_listeners(app, config);
}
