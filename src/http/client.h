/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way out (DESIGN 10): libcurl with https only (loopback http and a unix socket by
 * option), no redirects, no proxy from the environment, no cookies, no netrc, caps on size and
 * time. This is the waiting form for the command-line tools and for jobs; the loops do not call
 * it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "http/address.h"

struct task;

#define HTTP_CLIENT_HEAD_MAX (32 * 1024) /* of an answer; longer is ERR_TOO_LARGE */

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
	/*
	 * The URL is the word of another server, which is at led_from: nothing is connected to that
	 * lies further inside than that server itself (address_may_lead).
	 */
	bool is_led;
	enum address_reach led_from;
	/* asked about every second; when it says so, the call ends with ERR_IO; NULL: never */
	bool (*is_given_up)(void);
	size_t answer_max;
	int timeout_ms;
};

struct http_answer {
	unsigned status;
	struct str type;	  /* Content-Type */
	struct str head;	  /* its fields, a line each */
	struct str body;	  /* in task memory, as all of it */
	int64_t retry_after;	  /* seconds; 0: not said */
	enum address_reach reach; /* of where it came from; a unix socket is loopback */
};

/*
 * Any status is OK, also a redirect, which is not followed. A body without a Content-Type field
 * is sent as a form. ERR_REQUEST for a call that we do not make, also one that is led inside;
 * ERR_IO when nothing answered (reason says what: refused, certificate, name); ERR_TIMEOUT;
 * ERR_TOO_LARGE.
 */
MUST_CHECK enum err http_client_call(struct task *task, const struct http_call *call,
				     struct http_answer *ret_answer);
/* The value of the first field of that name; STR_NONE when there is none. */
struct str http_answer_field(const struct http_answer *answer, struct str name);
/*
 * A cursor over the fields of one name, as a head may have several: begin with *head = answer.head;
 * false behind the last.
 */
bool http_next_field(struct str *head, struct str name, struct str *ret_value);
