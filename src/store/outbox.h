/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox: what must happen outside after a commit (on_stop commands), written with what caused it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct task;
struct db;

struct outbox_item {
	struct str id;	 /* out_… */
	struct str kind; /* "on_stop", "on_stop_client" (authority/stop) */
	struct str user_id;
	struct str payload; /* JSON */
	int64_t due_at;
	int64_t attempts;
	int64_t created_at;
};

MUST_CHECK enum err outbox_insert(struct task *task, struct db *db, const struct outbox_item *item);
/*
 * What waits: how many, and the oldest one's created_at (0: none). Counts OUTBOX_COUNT_MAX at the
 * most.
 */
#define OUTBOX_COUNT_MAX 10000
MUST_CHECK enum err outbox_backlog(struct task *task, struct db *db, int64_t *ret_count,
				   int64_t *ret_oldest);
/*
 * Takes the item that is due first, for one worker: moves due_at on to `retry_at` and counts the
 * attempt, so that another node does not take it too and a crash tries again. ERR_NOT_FOUND when
 * nothing is due.
 */
MUST_CHECK enum err outbox_take(struct task *task, struct db *db, int64_t now, int64_t retry_at,
				struct outbox_item *ret_item);
/*
 * An item that was taken and failed: not due before due_at. Nothing changes when somebody else has
 * taken it since (attempts is another).
 */
MUST_CHECK enum err outbox_defer(struct task *task, struct db *db, const struct outbox_item *item,
				 int64_t due_at);
/* *ret_deleted is false when somebody else has taken it since, or it is gone. */
MUST_CHECK enum err outbox_delete(struct task *task, struct db *db, const struct outbox_item *item,
				  bool *ret_deleted);
