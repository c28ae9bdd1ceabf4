/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching what a URL from outside names (DESIGN 10), with the task parked: no worker and no loop
 * waits. One thread with a curl multi, made when something is first fetched; names are looked up
 * beside it, once each, in threads that end with the answer. A name with one address that is not
 * public is refused as a whole, only addresses from that answer are connected to, and each is
 * looked at once more before its socket is made. https only; no redirects, proxies, cookies, netrc
 * or kept connections; GET without a body.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/task.h"

struct outgoing;

#define OUTGOING_MOST	   32 /* fetches at a time */
#define OUTGOING_PER_HOST  4
#define OUTGOING_URL_MAX   2048
#define OUTGOING_FIELD_MAX 256 /* of a header field that is kept */

struct outgoing_config {
	struct clock *clock;
	struct log *log;
	/*
	 * Certificate authorities (PEM) to trust beside the system's, or "", in the task's memory;
	 * it may block. NULL: none.
	 */
	enum err (*extra_ca)(struct task *task, void *context, struct str *ret_pem);
	void *context;
};

struct outgoing_wish {
	struct str url;
	struct str accept;   /* of the Accept field */
	size_t answer_max;   /* bytes of the body */
	int timeout_ms;	     /* from now to the last byte */
	bool allow_loopback; /* for tests: addresses of this machine too */
};

struct outgoing_answer {
	unsigned status;
	struct str type;	  /* Content-Type */
	struct str cache_control; /* all of it, joined by commas; STR_NONE when longer than kept */
	struct str age;
	struct str body;
};

struct outgoing *outgoing_new(const struct outgoing_config *config);
/* After nobody can ask any more and all tasks are home. */
void outgoing_free(struct outgoing **outgoing);

/*
 * ERR_PARKED: the task comes home with the answer in its memory, or with ERR_REQUEST (the name
 * leads to an address that is not public), ERR_IO (no answer, certificate not trusted),
 * ERR_TIMEOUT, ERR_TOO_LARGE; any status is OK. At once: ERR_REQUEST for a URL that is not https
 * with a named host, ERR_BUSY when too many are under way, ERR_CONFIG without libcurl.
 */
MUST_CHECK enum err outgoing_get(struct task *task, struct outgoing *outgoing,
				 const struct outgoing_wish *wish,
				 struct outgoing_answer *ret_answer, then_fn *then, void *arg);
