/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the endpoints word their answers: the one table from error to status, OAuth error word and
 * challenge (RFC 6749 5.2, RFC 6750 3.1), and the headers that every answer carries. Pages are not
 * worded here.
 */
#pragma once

#include "base/buf.h"
#include "http/exchange.h"

#define OAUTH_REPLY_MAX (64 * 1024)

struct oauth_answer {
	unsigned status;
	const char *word;
	const char *scheme;   /* of WWW-Authenticate; NULL: none */
	unsigned retry_after; /* seconds, unless the endpoint knows better; 0: none */
};

/*
 * The answer of any error but OK and ERR_PARKED, which are none (and answered as our own mistake).
 */
const struct oauth_answer *oauth_answer_of(enum err err);
/*
 * The text in the characters that error_description may have (RFC 6749 5.2), at most 200 of them.
 */
struct str oauth_description(struct arena *arena, struct str reason);

/* The door's refuse: fills the reply, a page at /authorize and JSON elsewhere, and logs once. */
void oauth_refuse(struct exchange *exchange, enum err err);
/* The door's finish: what every answer of this door carries. */
void oauth_finish(struct exchange *exchange);
/* 200 with that JSON text. ERR_TOO_LARGE. */
MUST_CHECK enum err oauth_reply_json(struct exchange *exchange, struct buf *body);
/* DPoP-Nonce: what the client's next proof is to sign (RFC 9449 8). */
void oauth_dpop_nonce(struct exchange *exchange);
/* Retry-After, when seconds is above zero and none is there yet. */
void oauth_retry_after(struct exchange *exchange, int64_t seconds);
