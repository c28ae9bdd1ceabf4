/* SPDX-License-Identifier: Apache-2.0 */
/* The whole product on one screen: which listener has which doors, in the order they are asked. */
#pragma once

#include "config/config.h"
#include "http/server.h"

struct app;

#define LISTENERS_MAX 3
#define DOORS_MAX     2

struct routes {
	const struct door *public_doors[DOORS_MAX];
	const struct door *ops_doors[1];
	const struct door *admin_doors[1];
	struct http_listener listeners[LISTENERS_MAX];
	size_t listener_count;
	struct http_lane lanes[LANE_COUNT];
	unsigned loops;
	unsigned threads; /* loops and workers */
};

/* How many threads there will be, and for what. */
void routes_plan_lanes(struct app *app, const struct config *config);
/* Which listener has which doors. With app->ops.trouble all but health is closed. */
void routes_plan_doors(struct app *app, const struct config *config);
