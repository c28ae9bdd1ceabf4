/* SPDX-License-Identifier: Apache-2.0 */
#include "http/figures.h"

#include "http/loop.h"

/* A listener's places: "none" first, then the routes of its doors in their order. */
static size_t places_of(const struct http_listener *listener)
{
	size_t count = 1;

	for (size_t i = 0; i < listener->door_count; i++)
		count += listener->doors[i]->route_count;
	return count;
}

static size_t count_places(const struct http_config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->listener_count; i++)
		count += places_of(&config->listeners[i]);
	return count;
}

static size_t first_place(const struct http_config *config, const struct http_listener *listener)
{
	size_t at = 0;

	for (const struct http_listener *l = config->listeners; l < listener; l++)
		at += places_of(l);
	return at;
}

/* 0: it has none of the tables' routes (a preflight's route stands in no table). */
static size_t place_within(const struct http_listener *listener, const struct exchange *exchange)
{
	size_t first = 1;

	for (size_t i = 0; exchange->route != NULL && i < listener->door_count; i++) {
		const struct door *door = listener->doors[i];
		uintptr_t offset = (uintptr_t)exchange->route - (uintptr_t)door->routes;

		if (door == exchange->door && offset / sizeof(struct route) < door->route_count)
			return first + offset / sizeof(struct route);
		first += door->route_count;
	}
	return 0;
}

void figures_open(struct arena *arena, const struct http_config *config,
		  struct loop_figures *ret_figures)
{
	*ret_figures = (struct loop_figures){
		.places = NEW_ARRAY(arena, struct place_figures, count_places(config)),
		.open = (_Atomic uint64_t *)NEW_ARRAY(arena, uint64_t, config->listener_count),
	};
}

static enum status_class class_of(unsigned status)
{
	if (status == 503)
		return STATUS_503;
	if (status >= 500)
		return STATUS_5XX;
	if (status >= 400)
		return STATUS_4XX;
	return status >= 300 ? STATUS_3XX : STATUS_2XX;
}

void figures_count(struct loop_figures *figures, const struct http_config *config,
		   const struct http_listener *listener, const struct exchange *exchange,
		   int64_t took_ms)
{
	size_t at = first_place(config, listener) + place_within(listener, exchange);

	figure_add(&figures->places[at].classes[class_of(exchange->reply.status)], 1);
	histogram_add(&figures->places[at].took, took_ms * 1000);
}

static const struct route *route_at(const struct http_listener *listener, size_t at)
{
	if (at == 0)
		return NULL;
	at--;
	for (size_t i = 0; i < listener->door_count; i++) {
		if (at < listener->doors[i]->route_count)
			return &listener->doors[i]->routes[at];
		at -= listener->doors[i]->route_count;
	}
	return NULL;
}

size_t http_server_places(const struct http_server *server)
{
	unsigned count;

	return count_places(http_server_loops(server, &count)->config);
}

void http_server_place(const struct http_server *server, size_t at, struct http_place *ret_place)
{
	unsigned count;
	const struct loop *loops = http_server_loops(server, &count);
	const struct http_listener *listener = loops->config->listeners;
	size_t within = at;

	for (; within >= places_of(listener); listener++)
		within -= places_of(listener);
	*ret_place = (struct http_place){ .listener = listener->name,
					  .route = route_at(listener, within) };
	for (unsigned i = 0; i < count; i++) {
		const struct place_figures *place = &loops[i].figures.places[at];

		for (size_t class = 0; class < STATUS_CLASSES; class ++)
			ret_place->classes[class] += figure_get(&place->classes[class]);
		histogram_collect(&place->took, &ret_place->took);
	}
}

void http_server_connections(const struct http_server *server, size_t at,
			     struct http_connections *ret_connections)
{
	unsigned count;
	const struct loop *loops = http_server_loops(server, &count);

	*ret_connections =
		(struct http_connections){ .listener = loops->config->listeners[at].name };
	for (unsigned i = 0; i < count; i++)
		ret_connections->open += figure_get(&loops[i].figures.open[at]);
}

void http_server_totals(const struct http_server *server, struct http_totals *ret_totals)
{
	unsigned count;
	const struct loop *loops = http_server_loops(server, &count);

	*ret_totals = (struct http_totals){
		.most_connections = (uint64_t)loops->config->limits.connections * count,
	};
	for (unsigned i = 0; i < count; i++) {
		ret_totals->crowded += figure_get(&loops[i].figures.crowded);
		ret_totals->late += figure_get(&loops[i].figures.late);
	}
}

void http_server_lane(const struct http_server *server, enum lane lane,
		      struct http_lane_figures *ret_figures)
{
	unsigned count;
	struct lane_queue *queue = http_server_loops(server, &count)->lanes[lane];

	*ret_figures = (struct http_lane_figures){ 0 };
	if (queue != NULL)
		lane_look(queue, ret_figures);
}
