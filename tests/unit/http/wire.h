/* SPDX-License-Identifier: Apache-2.0 */
/* A real server on loopback with a small door, and a client that writes and reads raw bytes. */
#pragma once

#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/router.h"
#include "http/server.h"
#include "http/tls.h"

#define BIG_ANSWER (16 * 1024 * 1024)

struct wire {
	struct task task;
	struct clock clock;
	struct log log;
	struct http_config config;
	struct http_listener listeners[2];
	struct http_server *server;
	unsigned port;
};

/* What the handlers and the test share. */
struct stage {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct task *parked[256];
	unsigned parked_count;
	unsigned blocked; /* workers that wait in /block */
	bool is_open;	  /* they may go on */
	unsigned finished;
	unsigned handled;
};

static struct stage stage = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER };

static inline void stage_change(unsigned *counter)
{
	pthread_mutex_lock(&stage.lock);
	++*counter;
	pthread_cond_broadcast(&stage.changed);
	pthread_mutex_unlock(&stage.lock);
}

/* Waits until the counter has reached a number; no time is measured, a hanging test is killed. */
static inline void stage_await(const unsigned *counter, unsigned number)
{
	pthread_mutex_lock(&stage.lock);
	while (*counter < number)
		pthread_cond_wait(&stage.changed, &stage.lock);
	pthread_mutex_unlock(&stage.lock);
}

static inline void stage_open(bool is_open)
{
	pthread_mutex_lock(&stage.lock);
	stage.is_open = is_open;
	pthread_cond_broadcast(&stage.changed);
	pthread_mutex_unlock(&stage.lock);
}

static inline enum err answer(struct exchange *x, struct str text)
{
	stage_change(&stage.handled);
	reply_with(x, 200, STR("text/plain"), text);
	return OK;
}

static inline enum err say_name(struct exchange *x)
{
	return answer(x, x->request.params[0]);
}

static inline enum err say_body(struct exchange *x)
{
	return answer(x, x->request.body);
}

static inline enum err say_root(struct exchange *x)
{
	return answer(x, STR("root"));
}

static inline enum err say_much(struct exchange *x)
{
	return answer(x, (struct str){ arena_alloc(&x->task.arena, BIG_ANSWER), BIG_ANSWER });
}

static inline enum err say_peer(struct exchange *x)
{
	const struct peer *peer = &x->request.peer;
	struct str forwarded = request_field(&x->request, STR("X-Forwarded-For"));

	return answer(x, str_printf(&x->task.arena, "%.*s secure=%d unix=%d uid=%d xff=%.*s",
				    STR_FMT(peer->address), peer->is_secure, peer->is_unix,
				    peer->is_unix ? (int)peer->uid : -1, STR_FMT(forwarded)));
}

static inline enum err after_park(struct task *task, enum err result, void *arg)
{
	(void)arg;
	stage_change(&stage.finished);
	return result == OK ? answer(exchange_of(task), STR("parked")) : result;
}

static inline enum err say_finished(struct exchange *x)
{
	return answer(x, str_printf(&x->task.arena, "%u", stage.finished));
}

static inline enum err park_until(struct exchange *x, then_fn *then)
{
	enum err err = task_park(&x->task, then, NULL);

	pthread_mutex_lock(&stage.lock);
	stage.parked[stage.parked_count++ % COUNT_OF(stage.parked)] = &x->task;
	pthread_cond_broadcast(&stage.changed);
	pthread_mutex_unlock(&stage.lock);
	return err;
}

static inline enum err park(struct exchange *x)
{
	return park_until(x, after_park);
}

static inline enum err park_again(struct task *task, enum err result, void *arg)
{
	(void)arg;
	TRY(result);
	return park(exchange_of(task));
}

static inline enum err park_twice(struct exchange *x)
{
	return park_until(x, park_again);
}

/* Loops have the first numbers. */
static inline enum err say_where(struct task *task, enum err result, void *arg)
{
	(void)arg;
	TRY(result);
	return answer(exchange_of(task), task->thread == 0 ? STR("loop") : STR("lane"));
}

static inline enum err say_where_then(struct task *task, enum err result, void *arg)
{
	(void)arg;
	TRY(result);
	return park_until(exchange_of(task), say_where);
}

static inline enum err park_for_lane(struct exchange *x)
{
	x->goes_on_in_lane = true;
	return park_until(x, say_where);
}

static inline enum err park_for_lane_once(struct exchange *x)
{
	x->goes_on_in_lane = true;
	return park_until(x, say_where_then);
}

static inline enum err block(struct exchange *x)
{
	stage_change(&stage.blocked);
	pthread_mutex_lock(&stage.lock);
	while (!stage.is_open)
		pthread_cond_wait(&stage.changed, &stage.lock);
	pthread_mutex_unlock(&stage.lock);
	return answer(x, STR("unblocked"));
}

static inline void refuse(struct exchange *x, enum err err)
{
	unsigned status = err == ERR_NOT_FOUND	  ? 404
			  : err == ERR_METHOD	  ? 405
			  : err == ERR_BUSY	  ? 503
			  : err == ERR_MEDIA_TYPE ? 415
						  : 500;

	reply_with(x, status, STR("text/plain"), str_from_c(err_name(err)));
}

static const struct route routes[] = {
	{ "GET", "/", say_root, LANE_LOOP, 0 },
	{ "POST", "/", say_body, LANE_LOOP, 0 },
	{ "GET", "/name/{name}", say_name, LANE_LOOP, 0 },
	{ "GET", "/much", say_much, LANE_LOOP, 0 },
	{ "GET", "/peer", say_peer, LANE_LOOP, 0 },
	{ "GET", "/park", park, LANE_LOOP, 0 },
	{ "GET", "/finished", say_finished, LANE_LOOP, 0 },
	{ "GET", "/park-park", park_twice, LANE_LOOP, 0 },
	{ "GET", "/lane-park", park, LANE_STORE, 0 },
	{ "GET", "/lane-lane", park_for_lane, LANE_STORE, 0 },
	{ "GET", "/lane-lane-loop", park_for_lane_once, LANE_STORE, 0 },
	{ "GET", "/block-lane", park_for_lane, LANE_SLOW, 0 },
	{ "GET", "/block", block, LANE_SLOW, 0 },
	{ "GET", "/worker/{name}", say_name, LANE_STORE, 0 },
};
static const struct door door = { routes, COUNT_OF(routes), NULL, refuse, NULL };
static const struct door *const doors[] = { &door };

static inline void fill_random(void *at, size_t len)
{
	memset(at, 7, len);
}

/* The defaults; the test changes what it needs before wire_start. */
static inline void wire_begin(struct wire *wire)
{
	*wire = (struct wire){ .log = { .fd = STDERR_FILENO, .level = LOG_WARNING } };
	task_begin(&wire->task, &wire->clock, &wire->log);
	stage.parked_count = stage.blocked = stage.finished = stage.handled = 0;
	stage.is_open = false;
	wire->listeners[0] = (struct http_listener){ .address = STR("127.0.0.1:0"),
						     .doors = doors,
						     .door_count = COUNT_OF(doors) };
	wire->config = (struct http_config){
		.listeners = wire->listeners,
		.listener_count = 1,
		.lanes = { [LANE_STORE] = { 2, 64 }, [LANE_SLOW] = { 1, 1 } },
		.limits = { .connections = 1000 },
		.loops = 1,
		.clock = &wire->clock,
		.log = &wire->log,
		.random = fill_random,
	};
}

static inline void wire_start(struct wire *wire)
{
	CHECK_ERR(http_server_open(&wire->task, &wire->config, &wire->server), OK);
	CHECK_ERR(http_server_start(&wire->task, wire->server), OK);
	wire->port = http_server_port(wire->server, 0);
}

static inline void wire_end(struct wire *wire)
{
	stage_open(true);
	http_server_stop(wire->server, 5000);
	http_server_free(&wire->server);
	task_end(&wire->task);
}

static inline int wire_connect(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0);
	CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

static inline void wire_send(int fd, struct str bytes)
{
	while (bytes.len > 0) {
		ssize_t sent = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		/* a server that has refused may have gone */
		if (sent <= 0)
			return;
		bytes = str_from(bytes, (size_t)sent);
	}
}

/*
 * Sends a byte whenever the server has not answered yet; false once it has or the end is reached.
 */
static inline bool wire_drips(int fd, char byte)
{
	struct pollfd poll_fd = { fd, POLLIN, 0 };

	if (poll(&poll_fd, 1, 10) != 0)
		return false;
	return send(fd, &byte, 1, MSG_NOSIGNAL) == 1;
}

/* An answer as the client sees it. */
struct got {
	unsigned status;
	char head[8192];
	char *body;
	size_t len;
};

static inline size_t content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length: ");
	size_t value = 0;

	for (at = at == NULL ? "" : at + 18; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (size_t)(*at - '0');
	return value;
}

/* Reads one head, byte by byte so that the next answer stays; false at the end of the connection.
 */
static inline bool wire_head(int fd, struct got *got)
{
	size_t len = 0;

	memset(got, 0, sizeof(*got));
	while (len + 1 < sizeof(got->head)) {
		if (recv(fd, got->head + len, 1, 0) != 1)
			return false;
		len++;
		if (len >= 4 && memcmp(got->head + len - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	CHECK(strncmp(got->head, "HTTP/1.1 ", 9) == 0);
	got->status = (unsigned)((got->head[9] - '0') * 100 + (got->head[10] - '0') * 10 +
				 got->head[11] - '0');
	return true;
}

static inline bool wire_read(int fd, struct got *got)
{
	size_t at = 0;

	if (!wire_head(fd, got))
		return false;
	got->len = content_length(got->head);
	got->body = calloc(1, got->len + 1);
	CHECK(got->body != NULL);
	while (at < got->len) {
		ssize_t more = recv(fd, got->body + at, got->len - at, 0);

		CHECK(more > 0);
		at += (size_t)more;
	}
	return true;
}

static inline void got_free(struct got *got)
{
	free(got->body);
	got->body = NULL;
}

/* Reads an answer and checks status and body (NULL: any). */
static inline void expect(int fd, unsigned status, const char *body)
{
	struct got got;

	CHECK(wire_read(fd, &got));
	assert_int_equal(got.status, status);
	if (body != NULL)
		assert_string_equal(got.body, body);
	got_free(&got);
}

/* Waits for the other side to end; answers how many bytes came before. */
static inline size_t expect_end(int fd)
{
	char bytes[65536];
	size_t len = 0;
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		len += (size_t)got;
	close(fd);
	return len;
}
