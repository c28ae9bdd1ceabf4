/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of `make bench`: many keep-alive connections from one thread, each with one request
 * under way, over plain TCP or TLS. A request is a template in which %s is the connection's token;
 * the token may come from the last answer, as a rotation needs it; %p is the next of the proofs
 * that were signed for this connection. Nothing here belongs to grantd:
 * what is measured and what measures share no code.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_MAX 4096
#define OUT_MAX	  8192
#define IN_MAX	  32768

/* Where a connection's next token comes from. */
enum take {
	TAKE_CYCLE, /* its share of the tokens, again and again */
	TAKE_ONCE,  /* the next of all that nobody has used */
	TAKE_CHAIN, /* a member of the last answer */
};

struct plan {
	int port;
	bool tls;
	int connections;
	int status; /* of each answer, or the run is over */
	int64_t run_ns;
	int64_t limit; /* requests at most; 0: only the time counts */
	int64_t rate;  /* requests per second, evenly; 0: each as soon as the last is answered */
	enum take take;
	const char *member; /* of TAKE_CHAIN */
	char *head;	    /* request line and headers without Content-Length, each with CRLF */
	char *body;	    /* NULL: a GET */
	char **tokens;
	size_t token_count;
	/* signed beforehand, each good once; a connection ends with the last of its share */
	char **proofs;
	size_t proof_count;
};

enum conn_state { CONN_IDLE, CONN_SENDING, CONN_READING, CONN_OVER };

struct conn {
	int fd;
	SSL *ssl;
	enum conn_state state;
	int64_t due_at; /* when it was to be sent */
	int64_t done_at;
	size_t turn; /* of TAKE_CYCLE */
	char token[TOKEN_MAX];
	const char *proof; /* "" where there are none */
	size_t proof_turn;
	char out[OUT_MAX];
	size_t out_len, out_at;
	char in[IN_MAX];
	size_t in_len;
};

/* Connects, and shakes hands, before it returns; not blocking afterwards. */
void conn_open(struct conn *conn, const struct plan *plan, SSL_CTX *tls);
void conn_close(struct conn *conn);
/* Writes the request for conn->token into out; the state is CONN_SENDING. */
void conn_prepare(struct conn *conn, const struct plan *plan);
/*
 * Goes on as far as it can without waiting. True when an answer of plan->status is complete: then
 * the state is CONN_IDLE, and with TAKE_CHAIN conn->token is the new one.
 */
bool conn_step(struct conn *conn, const struct plan *plan, SSL_CTX *tls);
