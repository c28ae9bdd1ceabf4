/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often is too often, for guesses that cost us nothing to refuse: client secrets, scans of
 * introspection, new requests. Fixed windows in memory, bounded in size (the window that began
 * first gives way); one of the few shared objects, with its own mutex. What other nodes counted is
 * learnt (throttle_shared.h). Password guesses are counted in the store (login.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct throttle;

enum throttle_kind {
	/* failed client authentications per client and source: 20 a minute */
	THROTTLE_CLIENT_SECRET,
	THROTTLE_INTROSPECTION, /* tokens that were not active, per caller: 10,000 a minute */
	THROTTLE_AUTHORIZE,	/* new requests, per person or else per source: 300 a minute */
	/* requests pushed, per client, of public ones per client and source: 300 a minute */
	THROTTLE_PUSH,
	/* of a public client from everywhere, at this node: 3,000 a minute */
	THROTTLE_PUSH_ALL,
	THROTTLE_ACCESS_EVENT,	/* log-ins at a resource worth an event: one a minute per family */
	THROTTLE_CLIENT_EVENT,	/* tokens of a client as itself: one a minute per what it asks */
	THROTTLE_FAN_OUT_EVENT, /* too many sub-agents, worth an event: one a minute per family */
	THROTTLE_REGISTER,	/* registrations written, per network or client: 60 a minute */
	THROTTLE_REGISTER_ALL,	/* new ones of all together, at this node: 600 a minute */
	THROTTLE_REGISTER_CHANGES, /* their updates, likewise */
	THROTTLE_DOCUMENT,	   /* fetches of clients' documents, per person: 60 an hour */
	THROTTLE_DOCUMENT_HOST,	   /* of these to hosts that are new here: 10 an hour */
	THROTTLE_TOUCH,		   /* when a session was last seen: one write a minute */
	/* codes for devices, per public client and network: 30 a minute */
	THROTTLE_DEVICE,
	THROTTLE_DEVICE_CLIENT, /* of one client from everywhere: 300 a minute */
	/* from one network for all that anybody can speak for: 120 a minute */
	THROTTLE_DEVICE_NETWORK,
	/* of all those, at this node: 1,200 a minute */
	THROTTLE_DEVICE_ALL,
	THROTTLE_DEVICE_POLL,	    /* questions of one device: 60 a minute */
	THROTTLE_USER_CODE,	    /* codes that are no device's, per person: 5 an hour */
	THROTTLE_USER_CODE_NETWORK, /* the same, per network: 20 an hour */
	THROTTLE_SHARED,	    /* writes that tell other nodes: 6,000 a minute */
	THROTTLE_KIND_COUNT
};

struct throttle_limit {
	const char *name;
	uint32_t allowed;
	int64_t window_ms;
	uint32_t share_every; /* other nodes are told of so many together; 0: never */
};

const struct throttle_limit *throttle_limit(enum throttle_kind kind);

struct throttle *throttle_new(uint64_t seed);
void throttle_free(struct throttle **throttle);
/* ERR_THROTTLED when the key used up its window; *ret_retry_after in seconds. Counts nothing. */
MUST_CHECK enum err throttle_check(struct task *task, struct throttle *throttle,
				   enum throttle_kind kind, struct str key,
				   int64_t *ret_retry_after);
/* Has the key used up its window? Counts nothing, notes nothing. */
bool throttle_is_used_up(struct task *task, struct throttle *throttle, enum throttle_kind kind,
			 struct str key);
/* Counts one; answers true when this one used up the window (worth an event). */
bool throttle_count(struct task *task, struct throttle *throttle, enum throttle_kind kind,
		    struct str key);
/* The same; *ret_share is how many other nodes are to be told of now, mostly 0. */
bool throttle_count_shared(struct task *task, struct throttle *throttle, enum throttle_kind kind,
			   struct str key, uint32_t *ret_share);
/* Other nodes could not be told of these: they are told of them with the next. */
void throttle_give_back(struct throttle *throttle, enum throttle_kind kind, struct str key,
			uint32_t untold);
/*
 * What all nodes together had counted when they were told last, in the window that ends at ends_at.
 */
void throttle_learn(struct throttle *throttle, enum throttle_kind kind, struct str key,
		    int64_t total, int64_t ends_at);
