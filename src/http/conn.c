/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conn.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/exchange_step.h"

/* Steps in a row before the others have their turn: about 16 pipelined requests. */
#define STEPS_MAX  64
#define SPARES_MAX 64

void conn_wait(struct connection *c, enum timer_kind kind)
{
	if (c->timer.kind != kind)
		timer_arm(&c->loop->timers, &c->timer, kind, c->loop->now);
}

static void reset_request(struct request *request)
{
	request->method = request->target = request->path = request->query = STR_NONE;
	request->body = STR_NONE;
	request->version_minor = 1;
	request->field_count = 0;
	memset(request->params, 0, sizeof(request->params));
}

static struct work *work_new(void)
{
	struct work *work = calloc(1, sizeof(*work));

	if (work == NULL)
		abort();
	return work;
}

struct work *conn_work(struct connection *c)
{
	struct loop *loop = c->loop;
	struct work *work = loop->spare;

	if (c->work != NULL)
		return c->work;
	if (work != NULL) {
		loop->spare = work->spare;
		loop->spare_count--;
	} else {
		work = work_new();
	}
	work->head = (struct head){ 0 };
	work->used = work->high = work->next = 0;
	work->came = loop->now;
	work->has_begun = false;
	reset_request(&work->exchange.request);
	c->work = work;
	return work;
}

void work_free(struct work *work)
{
	free(work);
}

/* Bodies and fields hold passwords and tokens: what was read is wiped before it lies idle. */
void conn_release(struct connection *c)
{
	struct work *work = c->work;
	struct loop *loop = c->loop;

	if (work == NULL)
		return;
	if (work->has_begun)
		task_end(&work->exchange.task);
	explicit_bzero(work->input, work->high);
	c->work = NULL;
	if (loop->spare_count >= SPARES_MAX) {
		work_free(work);
		return;
	}
	work->spare = loop->spare;
	loop->spare = work;
	loop->spare_count++;
}

/*
 * Taken out of the epoll by hand: a child between fork and exec has a copy of the descriptor, which
 * would go on raising events for a connection that is no more.
 */
static void end_stream(struct connection *c, bool is_reset)
{
	timer_disarm(&c->timer);
	if (c->stream.fd >= 0)
		(void)epoll_ctl(c->loop->epoll, EPOLL_CTL_DEL, c->stream.fd, NULL);
	stream_close(&c->stream, is_reset);
}

static _Atomic uint64_t *open_figure(const struct connection *c)
{
	return &c->loop->figures.open[c->listener - c->loop->config->listeners];
}

static void conn_close(struct connection *c, bool is_reset)
{
	end_stream(c, is_reset);
	conn_release(c);
	c->loop->connection_count--;
	figure_add(open_figure(c), (uint64_t)-1);
	free(c->groups);
	free(c);
}

/* The connection is gone, but its exchange is in other hands: both are freed when it comes home. */
static void conn_abandon(struct connection *c)
{
	end_stream(c, false);
	c->state = CONN_ORPHAN;
}

/* NULL: there are none. */
static gid_t *groups_new(int fd, size_t *ret_count)
{
	gid_t *groups, none;
	socklen_t len = 0;

	/* asked with no room it says how much it takes */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &none, &len) == 0 || len == 0)
		return NULL;
	groups = calloc(1, len);
	if (groups == NULL)
		abort();
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0)
		*ret_count = len / sizeof(*groups);
	return groups;
}

static void know_peer(struct connection *c, const struct sockaddr *address)
{
	const void *at = NULL;
	struct ucred credentials;
	socklen_t len = sizeof(credentials);

	if (address->sa_family == AF_INET)
		at = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
	else if (address->sa_family == AF_INET6)
		at = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	c->peer.address = STR("");
	c->peer.is_secure = c->listener->tls != NULL;
	if (at != NULL) {
		if (inet_ntop(address->sa_family, at, c->address, sizeof(c->address)) != NULL)
			c->peer.address = str_from_c(c->address);
		return;
	}
	c->peer.is_unix = true;
	c->peer.uid = (uid_t)-1;
	c->peer.gid = (gid_t)-1;
	if (getsockopt(c->stream.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0) {
		c->peer.uid = credentials.uid;
		c->peer.gid = credentials.gid;
	}
	c->groups = groups_new(c->stream.fd, &c->peer.group_count);
	c->peer.groups = c->groups;
}

void conn_open(struct loop *loop, const struct http_listener *listener, int fd,
	       const struct sockaddr *address)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = c };

	if (c == NULL)
		abort();
	c->source = SOURCE_CONNECTION;
	c->loop = loop;
	c->listener = listener;
	c->state = listener->tls == NULL ? CONN_HEAD : CONN_HANDSHAKE;
	loop->connection_count++;
	figure_add(open_figure(c), 1);
	if (stream_open(&c->stream, fd, listener->tls) != OK ||
	    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		conn_close(c, false);
		return;
	}
	know_peer(c, address);
	conn_wait(c, TIMER_HEAD);
}

static enum step shake_hands(struct connection *c)
{
	enum io io = stream_handshake(&c->stream);

	if (io == IO_END)
		return STEP_CLOSE;
	if (io == IO_WAIT)
		return STEP_WAIT;
	c->state = CONN_HEAD;
	return STEP_ON;
}

static enum step await_task(struct connection *c)
{
	conn_wait(c, TIMER_TASK);
	return STEP_WAIT;
}

static enum step await_home(struct connection *c)
{
	(void)c;
	return STEP_WAIT;
}

static enum step linger(struct connection *c)
{
	conn_wait(c, TIMER_LINGER);
	return stream_drain(&c->stream) == IO_WAIT ? STEP_WAIT : STEP_CLOSE;
}

static enum step (*const steps[CONN_STATES])(struct connection *c) = {
	[CONN_HANDSHAKE] = shake_hands, [CONN_HEAD] = conn_read_head, [CONN_BODY] = conn_read_body,
	[CONN_TASK] = await_task,	[CONN_WRITE] = conn_write,    [CONN_LINGER] = linger,
	[CONN_ORPHAN] = await_home,
};

void conn_run(struct connection *c)
{
	for (int i = 0; i < STEPS_MAX; i++) {
		enum step step = steps[c->state](c);

		if (step == STEP_WAIT)
			return;
		if (step == STEP_CLOSE) {
			conn_close(c, false);
			return;
		}
	}
	conn_wait(c, TIMER_NOW);
}

void conn_event(struct connection *c, uint32_t events)
{
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		c->stream.may_read = true;
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		c->stream.has_ended = true;
	if (c->state == CONN_TASK) {
		/* a client that only ended its own direction still waits for the answer */
		if ((events & (EPOLLHUP | EPOLLERR)) != 0)
			conn_abandon(c);
		return;
	}
	conn_run(c);
}

/* The exchange must not be touched: another thread may be using it at this moment. */
static void answer_without_task(struct connection *c)
{
	static const char unavailable[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
					  "Content-Length: 0\r\nConnection: close\r\n\r\n";
	char text[sizeof(unavailable)];
	struct iovec part = { text, sizeof(unavailable) - 1 };

	figure_add(&c->loop->figures.late, 1);
	memcpy(text, unavailable, sizeof(text));
	(void)!stream_write(&c->stream, &part, 1);
	conn_abandon(c);
}

void conn_give_up(struct connection *c)
{
	if (c->state == CONN_TASK)
		answer_without_task(c);
	else if (c->state != CONN_ORPHAN)
		conn_close(c, false);
}

void conn_timeout(struct connection *c)
{
	enum timer_kind kind = c->timer.kind;
	bool has_part = c->state == CONN_BODY ||
			(c->state == CONN_HEAD && c->work != NULL && c->work->used > 0);

	timer_disarm(&c->timer);
	if (kind == TIMER_TASK) {
		answer_without_task(c);
	} else if (kind == TIMER_NOW) {
		conn_run(c);
	} else if (has_part && (kind == TIMER_HEAD || kind == TIMER_BODY)) {
		(void)conn_refuse_late(c);
		conn_run(c);
	} else {
		/* a reader that does not read would keep our unsent bytes in the kernel */
		conn_close(c, kind == TIMER_WRITE);
	}
}

static enum err go_on(struct connection *c)
{
	struct exchange *exchange = &c->work->exchange;

	if (!exchange->goes_on_in_lane)
		return exchange_step(exchange);
	exchange->goes_on_in_lane = false;
	return conn_step(c);
}

void conn_home(struct connection *c)
{
	struct exchange *exchange = &c->work->exchange;
	struct task *task = &exchange->task;

	task->thread = c->loop->thread;
	task->now = clock_wall(task->clock);
	if (task->then != NULL && go_on(c) == ERR_PARKED)
		return;
	if (c->state == CONN_ORPHAN) {
		(void)conn_answer(c, "the client is gone");
		conn_close(c, false);
		return;
	}
	(void)conn_answer(c, NULL);
	conn_run(c);
}
