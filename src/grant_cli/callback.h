/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the browser comes back to: a listener on 127.0.0.1 at a port of its own (RFC 8252 7.3),
 * open for one answer. Any page and any program of this computer can knock here, so only a well-
 * formed answer that carries our state counts; everything else is answered and forgotten, and
 * the wait goes on.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct callback;

/* What came with our state. Either code or error is there. */
struct callback_answer {
	struct str code;
	struct str error;
	struct str error_description; /* STR_NONE: none */
	struct str iss;		      /* STR_NONE: none */
};

/* In task memory, but for its sockets. ERR_STORE when no port can be had. */
MUST_CHECK enum err callback_open(struct task *task, struct str state, struct callback **ret);
void callback_close(struct callback **callback);
/* http://127.0.0.1:PORT/callback */
struct str callback_uri(struct task *task, const struct callback *callback);

/* Waits until the deadline (monotonic ms). ERR_DENIED when nobody came. */
MUST_CHECK enum err callback_wait(struct task *task, struct callback *callback, int64_t deadline,
				  struct callback_answer *ret_answer);
/*
 * Tells the browser that waits how it ended: a page with this heading and text, our own words
 * only.
 */
void callback_finish(struct task *task, struct callback *callback, const char *heading,
		     const char *text);
