/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a connection, plain or over TLS (tls.c), never blocking. It belongs to an
 * edge-triggered epoll: may_read says whether the socket can have bytes that no event will announce
 * again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

struct ssl_st;
struct tls;

enum io {
	IO_OK,
	IO_WAIT, /* an event will tell */
	IO_END,	 /* the other side ended, or it broke */
};

struct stream {
	int fd;
	bool may_read;
	bool has_ended;	    /* the other side has: what it sent is still to be read, then the end */
	bool is_ready;	    /* the handshake is done, or there is none */
	size_t budget;	    /* bytes that TLS may still take from the socket for one read */
	struct ssl_st *ssl; /* NULL: plain */
};

/* Takes the fd. The stream must stay where it is. ERR_CRYPTO when TLS has no memory or state. */
MUST_CHECK enum err stream_open(struct stream *stream, int fd, struct tls *tls);
/* Says goodbye if the handshake was done, and closes; is_reset: whatever is unsent is dropped. */
void stream_close(struct stream *stream, bool is_reset);
/* Ends our direction only, so that the other side can still read what we sent. */
void stream_finish(struct stream *stream);

enum io stream_handshake(struct stream *stream);
/* IO_OK: *ret_len > 0 bytes. */
enum io stream_read(struct stream *stream, char *at, size_t room, size_t *ret_len);
/* Takes what was written off the parts; IO_OK when nothing is left of them. */
enum io stream_write(struct stream *stream, struct iovec *parts, size_t count);
/* Reads and drops what is there, without decrypting: IO_WAIT or IO_END. */
enum io stream_drain(struct stream *stream);
/* recv, of got bytes where there was room for more or less: is there anything left? */
void stream_note(struct stream *stream, ssize_t got, size_t room);
/* False: only an event can bring more. */
bool stream_may_read(const struct stream *stream);
