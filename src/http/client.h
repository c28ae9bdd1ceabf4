/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way out (DESIGN 10): libcurl with https only (loopback http and a unix socket by
 * option), no redirects, no proxy from the environment, no cookies, no netrc, caps on size and
 * time. This is the waiting form for the command-line tools and for jobs; the loops do not call
 * it.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;

struct http_call {
	struct str method;
	struct str url;
	const struct str *fields; /* whole header lines "Name: value" */
	size_t field_count;
	struct str body;	  /* STR_NONE: none */
	struct str ca_file;	  /* STR_NONE: the system's */
	struct str extra_ca;	  /* PEM, trusted beside the system's; empty: none */
	struct str extra_ca_file; /* where it was read, for words */
	struct str unix_socket;	  /* STR_NONE: TCP */
	bool allow_loopback_http; /* http://127.0.0.1 and http://[::1] */
	struct str wanted_field;  /* of the answer's header; STR_NONE: none */
	size_t answer_max;
	int timeout_ms;
};

struct http_answer {
	unsigned status;
	struct str type;     /* Content-Type */
	struct str wanted;   /* the field that was wanted, at most 1 KiB; STR_NONE: not there */
	struct str body;     /* in task memory */
	int64_t retry_after; /* seconds; 0: not said */
};

/*
 * Any status is OK, also a redirect, which is not followed. A body without a Content-Type field
 * is sent as a form. ERR_REQUEST for a call that we do not make; ERR_IO when nothing answered
 * (reason says what: refused, certificate, name); ERR_TIMEOUT; ERR_TOO_LARGE.
 */
MUST_CHECK enum err http_client_call(struct task *task, const struct http_call *call,
				     struct http_answer *ret_answer);
