/* SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/task.h"
#include "http/listen.h"
#include "http/loop.h"

const struct http_limits http_limits_default = {
	.head_ms = 10 * 1000,
	.body_ms = 10 * 1000,
	.write_ms = 30 * 1000,
	.idle_ms = 60 * 1000,
	.task_ms = 30 * 1000,
	.connections = 10000,
};

struct http_server {
	struct http_config config;
	struct arena arena; /* copies of what the config pointed to */
	unsigned *ports;
	int *shared; /* per listener: the unix socket of all loops, or -1 */
	struct loop *loops;
	unsigned loop_count;
	unsigned opened; /* loops that loop_close has to close */
	struct lane_queue *lanes[LANE_COUNT];
	unsigned threads;
	bool is_running;
};

unsigned http_loops(unsigned wanted)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted == 0)
		wanted = cores > 0 ? (unsigned)cores : 1;
	return wanted < HTTP_LOOPS_MAX ? wanted : HTTP_LOOPS_MAX;
}

static int or_default(int value, int otherwise)
{
	return value > 0 ? value : otherwise;
}

static struct http_limits complete(const struct http_limits *limits)
{
	const struct http_limits *otherwise = &http_limits_default;

	return (struct http_limits){
		.head_ms = or_default(limits->head_ms, otherwise->head_ms),
		.body_ms = or_default(limits->body_ms, otherwise->body_ms),
		.write_ms = or_default(limits->write_ms, otherwise->write_ms),
		.idle_ms = or_default(limits->idle_ms, otherwise->idle_ms),
		.task_ms = or_default(limits->task_ms, otherwise->task_ms),
		.connections = limits->connections > 0 ? limits->connections
						       : otherwise->connections,
	};
}

static void copy_config(struct http_server *server, const struct http_config *config)
{
	struct arena *arena = &server->arena;
	struct http_listener *listeners = NEW_ARRAY(arena, struct http_listener,
						    config->listener_count);
	struct str *proxies = NEW_ARRAY(arena, struct str, config->trusted_proxy_count);

	for (size_t i = 0; i < config->listener_count; i++) {
		listeners[i] = config->listeners[i];
		listeners[i].address = str_copy(arena, config->listeners[i].address);
		listeners[i].name = str_copy(arena, config->listeners[i].name);
	}
	for (size_t i = 0; i < config->trusted_proxy_count; i++)
		proxies[i] = str_copy(arena, config->trusted_proxies[i]);
	server->config = *config;
	server->config.listeners = listeners;
	server->config.trusted_proxies = proxies;
	server->config.limits = complete(&config->limits);
}

static void make_lanes(struct http_server *server)
{
	server->threads = server->loop_count;
	for (size_t i = LANE_LOOP + 1; i < LANE_COUNT; i++) {
		const struct http_lane *lane = &server->config.lanes[i];

		if (lane->workers == 0)
			continue;
		server->lanes[i] = lane_new(lane, server->threads, server->config.clock);
		server->threads += lane->workers;
	}
}

static void make_loops(struct http_server *server)
{
	const struct http_config *config = &server->config;
	void (*draw)(void *at, size_t len) = config->random;

	server->loops = NEW_ARRAY(&server->arena, struct loop, server->loop_count);
	server->ports = NEW_ARRAY(&server->arena, unsigned, config->listener_count);
	server->shared = NEW_ARRAY(&server->arena, int, config->listener_count);
	for (unsigned i = 0; i < server->loop_count; i++) {
		struct loop *loop = &server->loops[i];

		loop->config = config;
		loop->lanes = server->lanes;
		loop->thread = i;
		loop->listener_count = config->listener_count;
		loop->listeners = NEW_ARRAY(&server->arena, struct loop_listener,
					    config->listener_count);
		figures_open(&server->arena, config, &loop->figures);
		draw(loop->ids.seed, sizeof(loop->ids.seed));
		for (size_t k = 0; k < config->listener_count; k++) {
			loop->listeners[k].source = SOURCE_LISTENER;
			loop->listeners[k].listener = &config->listeners[k];
			loop->listeners[k].fd = -1;
		}
	}
	for (size_t k = 0; k < config->listener_count; k++)
		server->shared[k] = -1;
}

static enum err bind_listener(struct task *task, struct http_server *server, size_t at)
{
	const struct http_listener *listener = &server->config.listeners[at];
	bool is_unix = listen_is_unix(listener->address);
	int fds[HTTP_LOOPS_MAX];

	TRY(listen_open(task, listener->address, listener->unix_mode, fds, server->loop_count,
			&server->ports[at]));
	if (is_unix)
		server->shared[at] = fds[0];
	for (unsigned i = 0; i < server->loop_count; i++) {
		server->loops[i].listeners[at].is_shared = is_unix;
		server->loops[i].listeners[at].fd = is_unix ? fds[0] : fds[i];
	}
	return OK;
}

enum err http_server_open(struct task *task, const struct http_config *config,
			  struct http_server **ret_server)
{
	CLEANUP(http_server_free) struct http_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		abort();
	if (config->random == NULL)
		return fail(task, ERR_INTERNAL, "the server was given no source of randomness");
	copy_config(server, config);
	server->loop_count = http_loops(config->loops);
	make_lanes(server);
	make_loops(server);
	for (size_t i = 0; i < config->listener_count; i++)
		TRY(bind_listener(task, server, i));
	for (; server->opened < server->loop_count;) {
		struct loop *loop = &server->loops[server->opened++];

		TRY(loop_open(task, loop));
	}
	*ret_server = server;
	server = NULL;
	return OK;
}

static enum err start_threads(struct task *task, struct http_server *server)
{
	for (size_t i = 0; i < LANE_COUNT; i++)
		if (server->lanes[i] != NULL)
			TRY(lane_start(task, server->lanes[i]));
	for (unsigned i = 0; i < server->loop_count; i++)
		TRY(loop_start(task, &server->loops[i]));
	return OK;
}

/* Signals are the main thread's affair. */
enum err http_server_start(struct task *task, struct http_server *server)
{
	sigset_t all, before;
	enum err err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	server->is_running = true;
	err = start_threads(task, server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != OK)
		http_server_stop(server, 0);
	return err;
}

void http_server_stop(struct http_server *server, int drain_ms)
{
	int64_t stop_at = clock_monotonic() + drain_ms;

	if (!server->is_running)
		return;
	for (unsigned i = 0; i < server->loop_count; i++)
		loop_stop(&server->loops[i], stop_at);
	for (unsigned i = 0; i < server->loop_count; i++)
		loop_join(&server->loops[i]);
	/* no loop waits for them any more, so their queues are empty */
	for (size_t i = 0; i < LANE_COUNT; i++)
		if (server->lanes[i] != NULL)
			lane_stop(server->lanes[i]);
	server->is_running = false;
}

static void close_sockets(struct http_server *server)
{
	for (size_t i = 0; server->shared != NULL && i < server->config.listener_count; i++) {
		if (server->shared[i] < 0)
			continue;
		close(server->shared[i]);
		listen_unlink(server->config.listeners[i].address);
	}
	/* loops that were not opened still have their sockets */
	for (unsigned i = server->opened; server->loops != NULL && i < server->loop_count; i++)
		for (size_t k = 0; k < server->config.listener_count; k++) {
			const struct loop_listener *listener = &server->loops[i].listeners[k];

			if (listener->fd >= 0 && !listener->is_shared)
				close(listener->fd);
		}
}

void http_server_free(struct http_server **server)
{
	if (*server == NULL)
		return;
	http_server_stop(*server, 0);
	close_sockets(*server);
	for (unsigned i = 0; i < (*server)->opened; i++)
		loop_close(&(*server)->loops[i]);
	for (size_t i = 0; i < LANE_COUNT; i++)
		lane_free(&(*server)->lanes[i]);
	arena_free(&(*server)->arena);
	free(*server);
	*server = NULL;
}

const struct loop *http_server_loops(const struct http_server *server, unsigned *ret_count)
{
	*ret_count = server->loop_count;
	return server->loops;
}

unsigned http_server_threads(const struct http_server *server)
{
	return server->threads;
}

unsigned http_server_port(const struct http_server *server, size_t listener)
{
	return server->ports[listener];
}
