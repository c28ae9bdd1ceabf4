/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server counts of itself, for /metrics. Requests are counted by the place that answered
 * them: a route of the tables the doors were made of, or "none" of a listener, so the set is known
 * when the server opens and no client can add to it. Each loop counts in memory of its own.
 */
#pragma once

#include "base/histogram.h"
#include "http/exchange.h"
#include "http/server.h"

/* 503 is told apart: "not now" is an answer, the other 5xx are failures. */
enum status_class { STATUS_2XX, STATUS_3XX, STATUS_4XX, STATUS_5XX, STATUS_503, STATUS_CLASSES };

/* One place of one loop. */
struct place_figures {
	_Atomic uint64_t classes[STATUS_CLASSES];
	struct histogram took;
};

/* What one loop counts. */
struct loop_figures {
	struct place_figures *places;
	_Atomic uint64_t *open;	  /* connections, per listener */
	_Atomic uint64_t crowded; /* closed at once, for there were too many */
	_Atomic uint64_t late;	  /* told 503 although the handler had not ended */
};

/* Of all loops. */
struct http_place {
	struct str listener;
	const struct route *route; /* NULL: refused before there was one, or nobody's path */
	uint64_t classes[STATUS_CLASSES];
	struct histogram_sum took;
};

struct http_connections {
	struct str listener;
	uint64_t open;
};

struct http_totals {
	uint64_t crowded;
	uint64_t late;
	uint64_t most_connections; /* that are let in before idle ones make room */
};

struct http_lane_figures {
	unsigned workers; /* 0: there is no such lane, its routes run on the loops */
	unsigned waiting;
	unsigned room;
	uint64_t refused;
};

size_t http_server_places(const struct http_server *server);
void http_server_place(const struct http_server *server, size_t at, struct http_place *ret_place);
/* at: below the number of listeners. */
void http_server_connections(const struct http_server *server, size_t at,
			     struct http_connections *ret_connections);
void http_server_totals(const struct http_server *server, struct http_totals *ret_totals);
void http_server_lane(const struct http_server *server, enum lane lane,
		      struct http_lane_figures *ret_figures);

/* For the loops. */
void figures_open(struct arena *arena, const struct http_config *config,
		  struct loop_figures *ret_figures);
/* An answer stands. listener is one of the configuration's. */
void figures_count(struct loop_figures *figures, const struct http_config *config,
		   const struct http_listener *listener, const struct exchange *exchange,
		   int64_t took_ms);
