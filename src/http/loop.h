/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop: an epoll, its listening sockets, its connections and their deadlines, and the queue of
 * tasks that come home to it. Everything but the queue is touched by the loop's own thread only.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "http/date.h"
#include "http/figures.h"
#include "http/lane.h"
#include "http/request_id.h"
#include "http/server.h"
#include "http/timers.h"

struct connection;
struct work;

/* What an event of the epoll speaks of: the first member of each thing that is registered. */
enum source { SOURCE_WAKE, SOURCE_LISTENER, SOURCE_CONNECTION };

struct loop_listener {
	enum source source;
	int fd;		/* -1: closed */
	bool is_shared; /* a unix socket, which all loops accept from */
	bool is_due;	/* somebody knocked in this round */
	const struct http_listener *listener;
};

struct loop {
	enum source source; /* SOURCE_WAKE: of the eventfd */
	const struct http_config *config;
	struct lane_queue *const *lanes; /* LANE_COUNT; NULL: on the loop */
	unsigned thread;
	int epoll;
	struct loop_listener *listeners;
	size_t listener_count;

	int64_t now; /* monotonic, of this round */
	struct timers timers;
	struct date_cache date;
	struct loop_figures figures;
	struct request_ids ids;
	struct work *spare; /* given back by idle connections */
	unsigned spare_count;
	unsigned connection_count;
	int64_t paused_until; /* no file descriptors left: not accepting; 0: accepting */
	bool is_draining;
	_Atomic bool is_meeting; /* its own thread brings tasks home and will look for them */
	bool has_more;		 /* something may have been gathered since the last meeting */
	bool has_thread;
	pthread_t id;	/* for who joins it */
	pthread_t self; /* the same, as its own thread knows it from its first line on */

	int wake;
	_Atomic int64_t stop_at; /* monotonic end of the drain; 0: not stopping */
	pthread_mutex_t lock;	 /* around first and last */
	struct task *first, *last;
};

/* The listeners' fds and the ids' seed are filled in by the server. */
MUST_CHECK enum err loop_open(struct task *task, struct loop *loop);
MUST_CHECK enum err loop_start(struct task *task, struct loop *loop);
/* Tells it to end by then; loop_join waits for it. */
void loop_stop(struct loop *loop, int64_t stop_at);
void loop_join(struct loop *loop);
void loop_close(struct loop *loop);
/* The loops of a server, for its figures. */
const struct loop *http_server_loops(const struct http_server *server, unsigned *ret_count);
/* A task's `home`: queues its exchange to the loop of its connection. From any thread. */
void loop_home(struct task *task);
