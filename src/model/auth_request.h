/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request: a question waiting for a person. It arrives by /authorize or /par, or from a device
 * without a browser (RFC 8628), is shown on the consent page, and when allowed is the code until
 * the code is spent: a device has its code from the start. (`struct request` is HTTP's.)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/details.h"
#include "model/scope.h"

#define PUSHED_LIFE_MS	  (60 * INT64_C(1000)) /* until a browser opens it (RFC 9126 2.2) */
#define REQUEST_LIFE_MS	  (60 * 60 * INT64_C(1000))
#define REQUEST_REPEAT_MS (60 * INT64_C(1000)) /* the same decision again gets the same redirect */
#define REQUEST_ARMING_MS INT64_C(700)	       /* no decision sooner after the page was rendered */
#define CODE_LIFE_MS	  (60 * INT64_C(1000))
#define CODE_PARALLEL_MS                                                                           \
	(10 * INT64_C(1000)) /* a second valid use later than this ends the family */
/*
 * How long a row stays from when a browser opened it: longer than all that it may be for (open for
 * an hour, a code, the tokens of the code), so that it is deleted without a look at how far it
 * came.
 */
#define REQUEST_KEEP_MS (2 * REQUEST_LIFE_MS)
#define STATE_MAX	2048

/* so long a second poll may be what the network doubled: a device asks one at a time, 5 s apart */
#define DEVICE_PARALLEL_MS (3 * INT64_C(1000))
#define DEVICE_LIFE_MS	   (10 * 60 * INT64_C(1000))
#define DEVICE_INTERVAL_MS (5 * INT64_C(1000)) /* between two polls; slow_down adds as much */
/* what was asked or allowed in the last moment may be fetched, and refused by its name, so long */
#define DEVICE_GRACE_MS (60 * INT64_C(1000))

enum request_state { REQUEST_PUSHED, REQUEST_PENDING, REQUEST_CODE, REQUEST_DENIED, REQUEST_SPENT };

struct auth_request {
	struct str id; /* req_… */
	enum request_state state;
	/*
	 * SHA-256 of the browser cookie that asked, or that the device's code was typed in: only it
	 * may answer. "": nobody's yet (pushed, or of a device)
	 */
	struct str browser_hash;
	struct str client_id;
	struct str resource;	 /* URI */
	struct scope_set scope;	 /* asked, or the resource's default */
	struct str redirect_uri; /* as asked (loopback port and all) */
	struct str oauth_state;	 /* byte-exact; STR_NONE when not sent */
	struct str code_challenge;
	struct str nonce;
	struct str prompt; /* "login", "consent"; while pushed also "none" */
	int64_t max_age;   /* seconds; -1: not asked */
	struct str login_hint;
	struct str ui_locales;
	struct details details; /* what of these scopes only (RFC 9396); none: all of them */
	struct str dpop_jkt;	/* the key that the code is for (RFC 9449 10); STR_NONE: any */

	/* of a device */
	struct str user_code;  /* keyed tag of what the person types; STR_NONE: no device asked */
	struct str asked_from; /* address */
	int64_t poll_ms;       /* how long it waits between two polls */
	int64_t polled_at;     /* 0: not yet */

	int64_t created_at;
	int64_t expires_at;

	struct str user_id; /* who was shown the page; STR_NONE before sign-in */
	int64_t shown_at;   /* when the consent page was last rendered; 0: not yet */

	/* once decided */
	int64_t decided_at;
	struct str
		decision; /* canonical text of the decision: the same again is the same decision */
	struct str grant_id;
	int64_t yes; /* which of the grant's it is; 0: none */
	struct scope_set granted;
	int64_t auth_time; /* wall ms */
	struct str acr;
	struct str code_hash; /* SHA-256 of the code */
	int64_t code_expires_at;

	/* once spent */
	int64_t spent_at;
	struct str family_id;
};

static inline bool auth_request_is_device(const struct auth_request *request)
{
	return request->user_code.at != NULL;
}
