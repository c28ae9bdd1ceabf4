/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request with its answer, and the doors that answer. A handler is plain code from its first
 * line to its last: it fills the reply and answers OK, or refuses with an error that its door turns
 * into an answer, or parks (base/task.h) and goes on in its `then`, on the loop of its connection.
 */
#pragma once

#include <stdbool.h>

#include "base/task.h"
#include "http/message.h"

struct door;
struct connection;

struct exchange {
	struct task task; /* first: a task that comes home is its exchange (exchange_of) */
	struct request request;
	struct reply reply;
	const struct route *route; /* NULL before routing succeeded */
	const struct door *door;
	struct connection *connection;
	struct str request_id; /* 26 base32 characters; in the log and on error pages */
	/*
	 * set before it parks: its next step may block as the first one might, so it runs where
	 * that ran, and not on the loop
	 */
	bool goes_on_in_lane;
};

/* The exchange that a task is part of. Only for tasks that doors received. */
struct exchange *exchange_of(struct task *task);

/* Where a handler may run. The server maps each to its loops or to a lane of workers. */
enum lane {
	LANE_LOOP,  /* nothing in it can block */
	LANE_STORE, /* reads the store: on the loop with SQLite, in workers with PostgreSQL */
	LANE_PAGES, /* pages: reads, templates */
	LANE_SLOW,  /* argon2id and other work of tens of milliseconds */
	LANE_COUNT
};

enum route_flag {
	ROUTE_FORM = 1, /* only application/x-www-form-urlencoded, else 415 with Accept */
	ROUTE_CORS = 2, /* Access-Control-Allow-Origin: *, and answers its preflight */
	ROUTE_JSON = 4, /* only application/json, else 415 */
};

struct route {
	const char *method; /* GET also serves HEAD */
	const char *path;   /* "/account/agents/{id}": literal segments and {name} for one whole
			       segment */
	enum err (*run)(struct exchange *exchange);
	enum lane lane;
	unsigned flags;
};

/*
 * A door: the routes of one audience and how it words refusals. Doors are asked in order; the first
 * with a matching path has it. A path that matches with another method is 405 with Allow; a path
 * nobody has goes to the last door's refuse as ERR_NOT_FOUND. refuse must fill the reply (and log
 * once) and cannot fail.
 */
struct door {
	const struct route *routes;
	size_t route_count;
	void *context; /* the door's own state: struct oauth, struct web, … */
	void (*refuse)(struct exchange *exchange, enum err err);
	void (*finish)(struct exchange *exchange); /* last touch on every answer: common headers;
						      may be NULL */
};

/* Runs the route's handler or a later step, and lets the door refuse. For the server and the tests.
 */
void exchange_run(struct exchange *exchange);
