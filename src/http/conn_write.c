/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "http/conn.h"

/* A body up to here is copied behind its head: one piece, and with TLS one record. */
#define JOINED_MAX 16000

static char *put(char *at, struct str text)
{
	if (text.len > 0)
		memcpy(at, text.at, text.len);
	return at + text.len;
}

static char *put_number(char *at, uint64_t value)
{
	char digits[24];
	size_t len = 0;

	do {
		digits[sizeof(digits) - ++len] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return put(at, (struct str){ digits + sizeof(digits) - len, len });
}

/* RFC 9110 6.4.1: these have no body and say no length. */
static bool is_bodiless(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

/* Of everything but the fields: the status line, Date, Content-Length, Connection, empty line. */
#define FRAME_MAX 192

static size_t head_room(const struct reply *reply)
{
	size_t room = FRAME_MAX;

	for (size_t i = 0; i < reply->field_count; i++)
		room += reply->fields[i].name.len + reply->fields[i].value.len + 4;
	return room;
}

static char *put_head(char *at, const struct connection *c, struct str date)
{
	const struct reply *reply = &c->work->exchange.reply;

	at = put(at, STR("HTTP/1.1 "));
	at = put_number(at, reply->status);
	at = put(at, STR(" "));
	at = put(at, reply_phrase(reply->status));
	at = put(at, STR("\r\nDate: "));
	at = put(at, date);
	if (!is_bodiless(reply->status)) {
		at = put(at, STR("\r\nContent-Length: "));
		at = put_number(at, reply->body.len);
	}
	if (c->is_last)
		at = put(at, STR("\r\nConnection: close"));
	else if (c->work->exchange.request.version_minor == 0)
		at = put(at, STR("\r\nConnection: keep-alive"));
	at = put(at, STR("\r\n"));
	for (size_t i = 0; i < reply->field_count; i++) {
		at = put(at, reply->fields[i].name);
		at = put(at, STR(": "));
		at = put(at, reply->fields[i].value);
		at = put(at, STR("\r\n"));
	}
	return put(at, STR("\r\n"));
}

void conn_prepare(struct connection *c)
{
	struct exchange *exchange = &c->work->exchange;
	struct str body = exchange->reply.body;
	struct str date = date_text(&c->loop->date, exchange->task.now);
	size_t room = head_room(&exchange->reply);
	bool is_joined = body.len <= JOINED_MAX - FRAME_MAX && room <= JOINED_MAX - body.len;
	char *start, *end;

	if (is_bodiless(exchange->reply.status) ||
	    str_equals(exchange->request.method, STR("HEAD")))
		is_joined = false;
	start = arena_alloc(&exchange->task.arena, room + (is_joined ? body.len : 0));
	end = put_head(start, c, date);
	if (is_joined)
		end = put(end, body);
	c->out[0] = (struct iovec){ start, (size_t)(end - start) };
	c->out[1] = (struct iovec){ 0 };
	if (!is_joined && !is_bodiless(exchange->reply.status) &&
	    !str_equals(exchange->request.method, STR("HEAD")))
		c->out[1] = (struct iovec){ (char *)(uintptr_t)body.at, body.len };
}

/* The next request begins with the bytes that came behind this one. */
static void turn_over(struct connection *c)
{
	struct work *work = c->work;
	size_t left = work->used - work->next;

	if (left == 0) {
		conn_release(c);
		return;
	}
	task_end(&work->exchange.task);
	memmove(work->input, work->input + work->next, left);
	work->used = left;
	work->came = c->loop->now;
	work->next = 0;
	work->has_begun = false;
	work->head = (struct head){ 0 };
	work->exchange.request.method = work->exchange.request.path = STR_NONE;
	work->exchange.request.target = work->exchange.request.query = STR_NONE;
	work->exchange.request.body = STR_NONE;
}

static enum step end_after_answer(struct connection *c)
{
	bool has_unread = c->is_refused || c->work->used > c->work->next || c->stream.may_read;

	/* closing with unread bytes would reset the connection and take the answer along */
	if (!has_unread)
		return STEP_CLOSE;
	stream_finish(&c->stream);
	conn_release(c);
	c->state = CONN_LINGER;
	return STEP_ON;
}

enum step conn_write(struct connection *c)
{
	enum io io = stream_write(&c->stream, c->out, 2);

	if (io == IO_END)
		return STEP_CLOSE;
	if (io == IO_WAIT) {
		conn_wait(c, TIMER_WRITE);
		return STEP_WAIT;
	}
	timer_disarm(&c->timer);
	if (c->is_last)
		return end_after_answer(c);
	c->has_served = true;
	turn_over(c);
	c->state = CONN_HEAD;
	return STEP_ON;
}
