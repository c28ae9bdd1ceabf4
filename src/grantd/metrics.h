/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /metrics in the text form of Prometheus (exposition format 0.0.4): what operators alert on, each
 * with its alert in docs/operator.md. Every label value stands in a table of the program; nothing
 * that a client sends becomes one.
 */
#pragma once

#include "base/buf.h"
#include "grantd/jobs.h"
#include "http/server.h"
#include "http/tls.h"
#include "store/store.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_MAX  (512 * 1024)

/* Whom to ask, borrowed. What is NULL is left out. */
struct metrics {
	const struct http_server *server;
	size_t listener_count;
	struct store *store;
	struct tls *tls;	   /* NULL: plain HTTP */
	const struct jobs *jobs;   /* NULL: only health is served */
	const struct tally *tally; /* NULL: nothing was counted */
	int64_t started_at;	   /* wall ms */
};

/* Asks the database whether it is there, at most once a second. */
MUST_CHECK enum err metrics_write(struct task *task, const struct metrics *metrics,
				  struct str *ret_text);
