/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client connection as a state machine: handshake, head, body, task, write, and again. A
 * request is parsed only after the one before was answered, so answers are in order by
 * construction. Only its loop touches it; while a task is away nobody touches its work but the
 * task's owner.
 */
#pragma once

#include <netinet/in.h>

#include "base/buf.h"
#include "http/chunks.h"
#include "http/loop.h"
#include "http/parse.h"
#include "http/stream.h"

/* the largest head, and room behind it for a body to pass through */
#define INPUT_MAX (HTTP_HEAD_MAX + 8 * 1024)

enum conn_state {
	CONN_HANDSHAKE,
	CONN_HEAD,
	CONN_BODY,
	CONN_TASK, /* with a handler, in a lane or parked */
	CONN_WRITE,
	CONN_LINGER,
	CONN_ORPHAN, /* the client is gone, the task is not yet home */
	CONN_STATES
};

/* What a request needs and an idle connection does not have. */
struct work {
	struct exchange exchange;
	struct head head;
	struct chunks chunks;
	struct buf body; /* of a body that does not fit behind its head or comes in chunks */
	int64_t came;	 /* monotonic, at its first byte */
	int64_t began;	 /* monotonic, at the head's end */
	size_t next;	 /* where the next request begins in the input */
	size_t used;	 /* bytes in the input */
	size_t high;	 /* the most there ever were: what has to be wiped */
	bool has_begun;	 /* the exchange's task runs */
	struct work *spare;
	char id[REQUEST_ID_LEN];
	char input[INPUT_MAX];
};

struct connection {
	enum source source;
	enum conn_state state;
	struct loop *loop;
	const struct http_listener *listener;
	struct stream stream;
	struct timer timer;
	struct work *work;
	struct iovec out[2];
	bool has_served; /* at least one answer */
	bool is_last;	 /* ends after this answer */
	bool is_refused; /* and the client may still be sending */
	struct peer peer;
	gid_t *groups; /* of peer */
	char address[INET6_ADDRSTRLEN];
};

/* What a state's step answers. */
enum step { STEP_ON, STEP_WAIT, STEP_CLOSE };

/* Takes the fd; the connection belongs to the loop from here on. */
void conn_open(struct loop *loop, const struct http_listener *listener, int fd,
	       const struct sockaddr *address);
/* Goes on until it has to wait for something; may free the connection. */
void conn_run(struct connection *c);
/* An event of the epoll. */
void conn_event(struct connection *c, uint32_t events);
/* Its deadline has passed. */
void conn_timeout(struct connection *c);
/* Its exchange is back: one more step or the answer. */
void conn_home(struct connection *c);
/* The drain is over: answers 503 where it can, and ends it. */
void conn_give_up(struct connection *c);
void work_free(struct work *work);

/* For conn's own files. */
void conn_wait(struct connection *c, enum timer_kind kind);
struct work *conn_work(struct connection *c);
void conn_release(struct connection *c);
/* conn_read.c */
enum step conn_read_head(struct connection *c);
enum step conn_read_body(struct connection *c);
/* 408. */
enum step conn_refuse_late(struct connection *c);
/* conn_request.c: starts the exchange's task. */
void conn_begin(struct connection *c);
/*
 * The exchange's next step, in the lane of its route or here. OK: the reply stands. ERR_PARKED: it
 * will come home.
 */
MUST_CHECK enum err conn_step(struct connection *c);
/* Routes and runs what was read. */
enum step conn_dispatch(struct connection *c);
/* The core's own refusal, after which the connection ends. */
enum step conn_refuse(struct connection *c, unsigned status, const char *why);
/* The reply stands: logs and begins to write. */
enum step conn_answer(struct connection *c, const char *why);
/* conn_write.c */
void conn_prepare(struct connection *c);
enum step conn_write(struct connection *c);
