/* SPDX-License-Identifier: Apache-2.0 */
/* TLS under a stream: what stream.c calls. Only tls.c knows OpenSSL. */
#pragma once

#include "http/stream.h"

MUST_CHECK enum err tls_attach(struct tls *tls, struct stream *stream);
void tls_detach(struct stream *stream);
/* Sends close_notify. */
void tls_goodbye(struct stream *stream);
enum io tls_handshake(struct stream *stream);
enum io tls_read(struct stream *stream, char *at, size_t room, size_t *ret_len);
enum io tls_write(struct stream *stream, const void *at, size_t len, size_t *ret_len);
bool tls_has_pending(const struct stream *stream);
