/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "http/conn.h"

/* Reads what there is behind what is used. STEP_WAIT without arming anything when nothing came. */
static enum step fill(struct connection *c, struct work *work)
{
	size_t len = 0;
	enum io io;

	if (!stream_may_read(&c->stream))
		return STEP_WAIT;
	io = stream_read(&c->stream, work->input + work->used, INPUT_MAX - work->used, &len);
	if (io == IO_WAIT)
		return STEP_WAIT;
	if (io == IO_END)
		return STEP_CLOSE;
	work->used += len;
	if (work->high < work->used)
		work->high = work->used;
	return STEP_ON;
}

/* Nothing of a next request yet: an idle connection holds no buffers. */
static enum step idle(struct connection *c)
{
	conn_release(c);
	if (c->loop->is_draining && !stream_may_read(&c->stream))
		return STEP_CLOSE;
	conn_wait(c, c->has_served ? TIMER_IDLE : TIMER_HEAD);
	return STEP_WAIT;
}

enum step conn_refuse_late(struct connection *c)
{
	return conn_refuse(c, 408, "the request took too long");
}

/*
 * The timer alone would not do: a connection with much to do leaves its queue for TIMER_NOW's, and
 * bytes that come in many small pieces would begin the time anew.
 */
static bool is_late(const struct connection *c, int64_t since, int limit_ms)
{
	return c->loop->now - since >= limit_ms;
}

static enum step more_head(struct connection *c)
{
	enum step step;

	if (c->work == NULL && !stream_may_read(&c->stream))
		return idle(c);
	if (c->work != NULL && c->work->used > 0 &&
	    is_late(c, c->work->came, c->loop->config->limits.head_ms))
		return conn_refuse_late(c);
	step = fill(c, conn_work(c));
	if (step != STEP_WAIT)
		return step;
	if (c->work->used == 0)
		return idle(c);
	conn_wait(c, TIMER_HEAD);
	return STEP_WAIT;
}

static enum step continue_body(struct connection *c)
{
	char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec part = { text, sizeof(text) - 1 };

	/* the answer before was written whole, so these few bytes fit or the client is not reading
	 */
	return stream_write(&c->stream, &part, 1) == IO_OK ? STEP_ON : STEP_CLOSE;
}

static enum step begin_body(struct connection *c)
{
	struct work *work = c->work;
	struct head *head = &work->head;

	work->began = c->loop->now;
	timer_disarm(&c->timer);
	conn_begin(c);
	work->chunks = (struct chunks){ 0 };
	work->body = buf_in(&work->exchange.task.arena, HTTP_BODY_MAX);
	c->state = CONN_BODY;
	if (head->wants_continue && work->used == head->at &&
	    (head->is_chunked || head->length > 0))
		return continue_body(c);
	return STEP_ON;
}

enum step conn_read_head(struct connection *c)
{
	struct work *work = c->work;
	enum head_state state = HEAD_MORE;

	if (work != NULL && work->used > work->head.scanned)
		state = head_feed(&work->head, &work->exchange.request, work->input, work->used);
	if (state == HEAD_DONE)
		return begin_body(c);
	if (state == HEAD_REFUSED)
		return conn_refuse(c, work->head.status, work->head.why);
	return more_head(c);
}

enum body { BODY_MORE, BODY_DONE, BODY_BAD, BODY_TOO_LARGE };

/* What is behind the head has been copied: the bytes that are left move up to it. */
static void keep_rest(struct work *work, struct str rest)
{
	memmove(work->input + work->head.at, rest.at, rest.len);
	work->used = work->head.at + rest.len;
	work->next = work->head.at;
}

static enum body take_length(struct work *work)
{
	size_t length = (size_t)work->head.length;
	struct str rest = { work->input + work->head.at, work->used - work->head.at };
	struct str part;

	/* where it fits, the body stays where it was read to */
	if (length <= INPUT_MAX - work->head.at) {
		if (rest.len < length)
			return BODY_MORE;
		work->exchange.request.body = str_sub(rest, 0, length);
		work->next = work->head.at + length;
		return BODY_DONE;
	}
	part = str_sub(rest, 0, length - work->body.len);
	buf_add(&work->body, part);
	keep_rest(work, str_from(rest, part.len));
	if (work->body.len < length)
		return BODY_MORE;
	return buf_finish(&work->body, &work->exchange.request.body) == OK ? BODY_DONE : BODY_BAD;
}

static enum body take_chunks(struct work *work)
{
	struct str data, rest = { work->input + work->head.at, work->used - work->head.at };
	enum chunk_step step;

	while ((step = chunks_next(&work->chunks, HTTP_BODY_MAX, &rest, &data)) == CHUNK_DATA)
		buf_add(&work->body, data);
	if (step == CHUNK_BAD)
		return BODY_BAD;
	if (step == CHUNK_TOO_LARGE)
		return BODY_TOO_LARGE;
	keep_rest(work, rest);
	if (step == CHUNK_MORE)
		return BODY_MORE;
	return buf_finish(&work->body, &work->exchange.request.body) == OK ? BODY_DONE : BODY_BAD;
}

enum step conn_read_body(struct connection *c)
{
	struct work *work = c->work;
	enum body body = work->head.is_chunked ? take_chunks(work) : take_length(work);
	enum step step;

	if (body == BODY_DONE)
		return conn_dispatch(c);
	if (body == BODY_BAD)
		return conn_refuse(c, 400, "malformed chunked body");
	if (body == BODY_TOO_LARGE)
		return conn_refuse(c, 413, "body too large");
	if (is_late(c, work->began, c->loop->config->limits.body_ms))
		return conn_refuse_late(c);
	step = fill(c, work);
	if (step == STEP_WAIT)
		conn_wait(c, TIMER_BODY);
	return step;
}
