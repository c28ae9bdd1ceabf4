/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: one epoll loop per core, each with its own listening sockets (SO_REUSEPORT), and
 * lanes of workers for what may block. DESIGN 3 has the whole story; ARCHITECTURE.md the shared
 * state.
 */
#pragma once

#include "base/err.h"
#include "http/exchange.h"

struct http_server;
struct tally;
struct tls;

struct http_listener {
	struct str name;    /* "public": in the figures */
	struct str address; /* "127.0.0.1:8443", "[::1]:8443" or "unix:/path" */
	struct tls *tls;    /* NULL: plain; borrowed */
	const struct door *const *doors;
	size_t door_count;
	unsigned unix_mode; /* permissions of a unix socket, such as 0660 */
};

struct http_lane {
	unsigned workers; /* 0: on the loop */
	unsigned queue;	  /* waiting tasks at most; a full lane answers 503 with Retry-After */
	int niceness;	  /* 1 to 19: the loops and other lanes go first (sched(7)) */
};

struct http_limits {
	int head_ms;  /* from the first byte (or accept) to the end of the head; also for a TLS
			 handshake */
	int body_ms;  /* the whole body */
	int write_ms; /* the whole answer */
	int idle_ms;  /* between requests */
	int task_ms;  /* from the request's end to the answer */
	/* per loop; the next one takes the place of an idle one or is closed */
	unsigned connections;
};

extern const struct http_limits http_limits_default;

/* A server has no more loops. */
#define HTTP_LOOPS_MAX 64

struct http_config {
	const struct http_listener *listeners;
	size_t listener_count;
	struct http_lane lanes[LANE_COUNT]; /* LANE_LOOP is ignored */
	struct http_limits limits;
	unsigned loops; /* up to HTTP_LOOPS_MAX; 0: one per core */
	/* addresses whose X-Forwarded-For/-Proto are believed; "unix": of every unix socket */
	const struct str *trusted_proxies;
	size_t trusted_proxy_count;
	struct clock *clock;
	struct log *log;
	struct tally *tally; /* for the requests' tasks; NULL: none. Borrowed */
	/*
	 * By each loop with its thread's number before it waits: brings home those of its tasks
	 * whose wishes were gathered to be met together, and says whether there were any. NULL:
	 * there is nobody who gathers.
	 */
	bool (*meet_gathered)(void *context, unsigned thread);
	void *gatherer;
	/* random_bytes of crypto/random.h, handed down; seeds the names of requests */
	void (*random)(void *at, size_t len);
};

/* Binds every listener; nothing is served yet. ERR_CONFIG with the reason for an address that
 * cannot be had. */
MUST_CHECK enum err http_server_open(struct task *task, const struct http_config *config,
				     struct http_server **ret_server);
/* As many as wanted or, for 0, one per core; at most HTTP_LOOPS_MAX. */
unsigned http_loops(unsigned wanted);
/* Starts loops and lanes; answers at once. */
MUST_CHECK enum err http_server_start(struct task *task, struct http_server *server);
/*
 * Stops accepting, answers what is under way (503 for what cannot be finished within drain_ms),
 * joins all threads. A task that is away is waited for, also after its client was told 503: who
 * holds parked tasks must bring them home and may stop only after the server.
 */
void http_server_stop(struct http_server *server, int drain_ms);
void http_server_free(struct http_server **server);
/* How many threads may own a task: loops and workers; task.thread is below it. Known after open. */
unsigned http_server_threads(const struct http_server *server);
/* The port that a listener got, for "…:0". */
unsigned http_server_port(const struct http_server *server, size_t listener);
