/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One fetch on its way, private to http/outgoing. It belongs to one thread at a time: to the one of
 * the fetches, and between `name` and coming back to that of its lookup, which may outlive the
 * wait for it; then nobody waits any more, and task is NULL.
 */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "http/client_api.h"
#include "http/outgoing.h"

#define CALL_ADDRESSES 16 /* of one name; more are not tried */

struct call {
	struct outgoing *outgoing;
	struct call *next;  /* among those that arrived */
	struct arena arena; /* what the lookup needs; the answer is in the task's */
	struct str url, host, port, accept;
	bool allow_loopback;

	/* the lookup's: what came of it */
	enum err looked_up;
	struct str why;
	struct sockaddr_storage addresses[CALL_ADDRESSES];
	size_t address_count;
	struct str extra_ca;

	/* the fetches' thread's */
	struct call *behind; /* among those whose task waits */
	struct task *task;   /* NULL: told already */
	struct outgoing_answer *ret_answer;
	struct outgoing_answer answer; /* so far */
	int64_t ends_at;	       /* monotonic */
	int timeout_ms;
	size_t answer_max;
	size_t head_len;
	struct buf body;
	const struct client_api *curl;
	CURL *easy; /* NULL: its name is being looked up */
	struct curl_slist *fields, *pinned;
	char detail[CURL_ERROR_SIZE];
};

/*
 * outgoing_name.c: looks the name up, once, and judges each address. In a thread of its own, which
 * may outlive all that the config names: it touches the call alone.
 */
void call_look_up(struct call *call);
/* outgoing_fetch.c: an easy handle for what was looked up, to be added to the multi. */
MUST_CHECK enum err call_prepare(struct call *call, int64_t now);
/* How it ended, in words; fills *ret_answer. */
MUST_CHECK enum err call_finish(struct call *call, CURLcode code);
/* Frees what call_prepare made. */
void call_drop(struct call *call);
