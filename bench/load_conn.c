/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"
#include "outside.h"

static void shake_hands(struct conn *conn, SSL_CTX *tls)
{
	conn->ssl = SSL_new(tls);
	if (conn->ssl == NULL || SSL_set_fd(conn->ssl, conn->fd) != 1 ||
	    SSL_connect(conn->ssl) != 1)
		die("no TLS handshake");
}

void conn_open(struct conn *conn, const struct plan *plan, SSL_CTX *tls)
{
	int one = 1;

	conn->fd = connect_to(plan->port);
	if (conn->fd < 0)
		die("no connection to port %d: %s", plan->port, strerror(errno));
	(void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (plan->tls)
		shake_hands(conn, tls);
	if (fcntl(conn->fd, F_SETFL, O_NONBLOCK) != 0)
		die("fcntl: %s", strerror(errno));
	conn->state = CONN_IDLE;
	conn->in_len = 0;
}

void conn_close(struct conn *conn)
{
	if (conn->ssl != NULL)
		SSL_free(conn->ssl);
	conn->ssl = NULL;
	(void)close(conn->fd);
	conn->fd = -1;
}

static void put(struct conn *conn, const char *text, size_t len)
{
	if (len >= OUT_MAX - conn->out_len)
		die("a request is too long");
	memcpy(conn->out + conn->out_len, text, len);
	conn->out_len += len;
}

/* The template with the token in the place of its %s, or the proof in that of its %p. */
static void put_filled(struct conn *conn, const char *text)
{
	const char *token = strstr(text, "%s");
	const char *mark = token != NULL ? token : strstr(text, "%p");
	const char *value = token != NULL ? conn->token : conn->proof;

	if (mark == NULL) {
		put(conn, text, strlen(text));
		return;
	}
	put(conn, text, (size_t)(mark - text));
	put(conn, value, strlen(value));
	put(conn, mark + 2, strlen(mark + 2));
}

/* Of a body, in which no proof stands. */
static size_t filled_len(const struct conn *conn, const char *text)
{
	return strlen(text) + (strstr(text, "%s") == NULL ? 0 : strlen(conn->token) - 2);
}

void conn_prepare(struct conn *conn, const struct plan *plan)
{
	char length[64];

	conn->out_len = conn->out_at = 0;
	put_filled(conn, plan->head);
	if (plan->body == NULL) {
		put(conn, "\r\n", 2);
	} else {
		int len = snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n",
				   filled_len(conn, plan->body));

		put(conn, length, (size_t)len);
		put_filled(conn, plan->body);
	}
	conn->state = CONN_SENDING;
}

/* What read and write answer: bytes, 0 for "not now", -1 for the end of the connection. */
static ssize_t judge(const struct conn *conn, ssize_t done)
{
	if (done > 0)
		return done;
	if (conn->ssl == NULL)
		return done < 0 && errno == EAGAIN ? 0 : -1;
	switch (SSL_get_error(conn->ssl, (int)done)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	default:
		return -1;
	}
}

static ssize_t send_some(struct conn *conn)
{
	const char *at = conn->out + conn->out_at;
	size_t len = conn->out_len - conn->out_at;

	return judge(conn, conn->ssl != NULL ? SSL_write(conn->ssl, at, (int)len)
					     : send(conn->fd, at, len, MSG_NOSIGNAL));
}

static ssize_t read_some(struct conn *conn)
{
	char *at = conn->in + conn->in_len;
	size_t room = IN_MAX - 1 - conn->in_len;

	if (room == 0)
		die("an answer is too long");
	return judge(conn, conn->ssl != NULL ? SSL_read(conn->ssl, at, (int)room)
					     : read(conn->fd, at, room));
}

/* A chain goes on with the member's value. */
static void take_member(struct conn *conn, const char *body, const char *member)
{
	char name[64];
	const char *at, *end;

	(void)snprintf(name, sizeof(name), "\"%s\"", member);
	at = strstr(body, name);
	at = at == NULL ? NULL : strchr(at + strlen(name), '"');
	end = at == NULL ? NULL : strchr(at + 1, '"');
	if (end == NULL || end - at > TOKEN_MAX)
		die("an answer without %s: %s", member, body);
	memcpy(conn->token, at + 1, (size_t)(end - at - 1));
	conn->token[end - at - 1] = '\0';
}

/* True when the whole answer is there. */
static bool is_complete(struct conn *conn, const char **ret_body)
{
	const char *end, *length;

	conn->in[conn->in_len] = '\0';
	end = strstr(conn->in, "\r\n\r\n");
	if (end == NULL)
		return false;
	length = strcasestr(conn->in, "\r\nContent-Length:");
	if (length == NULL || length > end)
		die("an answer without Content-Length: %s", conn->in);
	*ret_body = end + 4;
	return conn->in_len >= (size_t)(end + 4 - conn->in) + (size_t)number_of(length + 17);
}

static void take_answer(struct conn *conn, const struct plan *plan, SSL_CTX *tls, const char *body)
{
	bool closes;

	if (strncmp(conn->in, "HTTP/1.1 ", 9) != 0 || number_of(conn->in + 9) != plan->status)
		die("not %d: %s", plan->status, conn->in);
	if (plan->take == TAKE_CHAIN)
		take_member(conn, body, plan->member);
	closes = strcasestr(conn->in, "\r\nConnection: close\r\n") != NULL;
	conn->in_len = 0;
	conn->state = CONN_IDLE;
	if (!closes)
		return;
	conn_close(conn);
	conn_open(conn, plan, tls);
}

static bool read_answer(struct conn *conn, const struct plan *plan, SSL_CTX *tls)
{
	const char *body = NULL;
	ssize_t got;

	while ((got = read_some(conn)) > 0) {
		conn->in_len += (size_t)got;
		if (!is_complete(conn, &body))
			continue;
		take_answer(conn, plan, tls, body);
		return true;
	}
	if (got < 0)
		die("the server closed a connection before it answered: %s", conn->out);
	return false;
}

bool conn_step(struct conn *conn, const struct plan *plan, SSL_CTX *tls)
{
	while (conn->state == CONN_SENDING) {
		ssize_t sent = send_some(conn);

		if (sent == 0)
			return false;
		if (sent < 0) {
			/* closed while it was idle, as servers may: once more on a new one */
			conn_close(conn);
			conn_open(conn, plan, tls);
			conn->state = CONN_SENDING;
			conn->out_at = 0;
			continue;
		}
		conn->out_at += (size_t)sent;
		if (conn->out_at == conn->out_len)
			conn->state = CONN_READING;
	}
	return conn->state == CONN_READING && read_answer(conn, plan, tls);
}
