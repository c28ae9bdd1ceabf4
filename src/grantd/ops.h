/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health, for supervisors and load balancers, on a listener of its own: /livez says that the
 * process answers, /readyz that it can serve, /metrics how it fares. Also the door that answers
 * when it cannot: 503 for everything.
 */
#pragma once

#include "grantd/metrics.h"
#include "http/exchange.h"
#include "store/store.h"

struct keyring;

struct ops {
	struct store *store;
	const struct keyring *keys;
	struct str trouble;	/* why only health is served; STR_NONE: nothing is wrong */
	struct metrics metrics; /* whom /metrics asks; filled in before the server runs */
	struct door door;	/* /livez, /readyz and /metrics */
	struct door closed;	/* 503 whatever is asked */
};

/* store and keys may be NULL when there is trouble. */
void ops_open(struct ops *ops, struct store *store, const struct keyring *keys, struct str trouble);
