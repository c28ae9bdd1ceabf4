/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets. TCP: each loop has its own on the same port (SO_REUSEPORT); a port that
 * another process listens on is refused, which SO_REUSEPORT alone would silently share. Unix: one
 * for all.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

/* True for "unix:/path". */
bool listen_is_unix(struct str address);
/*
 * Sockets that listen on the address, one per fd asked for (one in all for unix). ERR_CONFIG with
 * the reason. *ret_port is 0 for unix. On any error no socket is left open.
 */
MUST_CHECK enum err listen_open(struct task *task, struct str address, unsigned unix_mode, int *fds,
				size_t count, unsigned *ret_port);
/* Takes the socket's name away from the file system. */
void listen_unlink(struct str address);
