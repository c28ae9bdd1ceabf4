/* SPDX-License-Identifier: Apache-2.0 */
#include "http/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/tls_stream.h"

#define DRAIN_ROUNDS 256 /* a megabyte */

enum err stream_open(struct stream *stream, int fd, struct tls *tls)
{
	*stream = (struct stream){ .fd = fd, .is_ready = tls == NULL };
	return tls == NULL ? OK : tls_attach(tls, stream);
}

void stream_close(struct stream *stream, bool is_reset)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (stream->fd < 0)
		return;
	if (is_reset)
		(void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else if (stream->ssl != NULL && stream->is_ready)
		tls_goodbye(stream);
	tls_detach(stream);
	close(stream->fd);
	stream->fd = -1;
}

void stream_finish(struct stream *stream)
{
	if (stream->ssl != NULL && stream->is_ready)
		tls_goodbye(stream);
	(void)shutdown(stream->fd, SHUT_WR);
}

enum io stream_handshake(struct stream *stream)
{
	enum io io = tls_handshake(stream);

	stream->is_ready = io == IO_OK;
	return io;
}

void stream_note(struct stream *stream, ssize_t got, size_t room)
{
	/*
	 * less than there was room for: the socket is empty, and the next byte raises an event; but
	 * not the end, once it was announced
	 */
	if (got < 0 || ((size_t)got < room && !stream->has_ended))
		stream->may_read = false;
}

enum io stream_read(struct stream *stream, char *at, size_t room, size_t *ret_len)
{
	ssize_t got;

	if (stream->ssl != NULL)
		return tls_read(stream, at, room, ret_len);
	got = recv(stream->fd, at, room, 0);
	stream_note(stream, got, room);
	if (got > 0) {
		*ret_len = (size_t)got;
		return IO_OK;
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? IO_WAIT : IO_END;
}

static size_t skip_written(struct iovec *parts, size_t count, size_t written)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = written < parts[i].iov_len ? written : parts[i].iov_len;

		if (len == 0) {
			left += parts[i].iov_len;
			continue;
		}
		parts[i].iov_base = (char *)parts[i].iov_base + len;
		parts[i].iov_len -= len;
		written -= len;
		left += parts[i].iov_len;
	}
	return left;
}

static enum io write_plain(struct stream *stream, struct iovec *parts, size_t count,
			   size_t *ret_len)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
	ssize_t sent = sendmsg(stream->fd, &message, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? IO_WAIT : IO_END;
	*ret_len = (size_t)sent;
	return IO_OK;
}

static enum io write_some(struct stream *stream, struct iovec *parts, size_t count, size_t *ret_len)
{
	size_t at = 0;

	if (stream->ssl == NULL)
		return write_plain(stream, parts, count, ret_len);
	while (at + 1 < count && parts[at].iov_len == 0)
		at++;
	return tls_write(stream, parts[at].iov_base, parts[at].iov_len, ret_len);
}

enum io stream_write(struct stream *stream, struct iovec *parts, size_t count)
{
	size_t written = 0;

	while (skip_written(parts, count, written) > 0) {
		enum io io = write_some(stream, parts, count, &written);

		if (io != IO_OK)
			return io;
	}
	return IO_OK;
}

enum io stream_drain(struct stream *stream)
{
	char bytes[4096];

	for (int i = 0; i < DRAIN_ROUNDS; i++) {
		ssize_t got = recv(stream->fd, bytes, sizeof(bytes), 0);

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return IO_WAIT;
		if (got <= 0)
			return IO_END;
	}
	/* it does not stop talking */
	return IO_END;
}

bool stream_may_read(const struct stream *stream)
{
	return stream->may_read || (stream->ssl != NULL && tls_has_pending(stream));
}
