/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requests: questions waiting for a person, and the codes they become. Single use by one
 * conditional UPDATE.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "model/auth_request.h"

struct task;
struct db;

/* ERR_CONFLICT: another device has that user code. */
MUST_CHECK enum err auth_request_insert(struct task *task, struct db *db,
					const struct auth_request *request);
/* ERR_NOT_FOUND. */
MUST_CHECK enum err auth_request_find(struct task *task, struct db *db, struct str id,
				      struct auth_request *ret_request);
/* By the SHA-256 of a code, in any state. ERR_NOT_FOUND. */
MUST_CHECK enum err auth_request_find_code(struct task *task, struct db *db, struct str code_hash,
					   struct auth_request *ret_request);
/* By the tag of a user code, in any state. ERR_NOT_FOUND. */
MUST_CHECK enum err auth_request_find_user_code(struct task *task, struct db *db,
						struct str user_code,
						struct auth_request *ret_request);
/*
 * By the tag of a user code, for the person who typed it and their browser: theirs from now on, if
 * it is pending at `now` and nobody else's. ERR_NOT_FOUND.
 */
struct device_claim {
	struct str user_code;
	struct str user_id;
	struct str browser_hash;
	int64_t now;
};
MUST_CHECK enum err auth_request_claim(struct task *task, struct db *db,
				       const struct device_claim *claim,
				       struct auth_request *ret_request);
/*
 * A device asks whether it was answered: notes when. *ret_too_soon: sooner than it may; from then
 * on it waits DEVICE_INTERVAL_MS longer (RFC 8628 3.5). Nothing when it is not pending.
 */
MUST_CHECK enum err auth_request_poll(struct task *task, struct db *db, struct str id, int64_t now,
				      bool *ret_too_soon);
/*
 * pushed -> pending, for the browser of *request and until its expires_at. ERR_CONFLICT when it was
 * opened before, or is over.
 */
MUST_CHECK enum err auth_request_take(struct task *task, struct db *db,
				      const struct auth_request *request);
/*
 * Remembers who was shown the page and when; only while pending and for the same or no person.
 * ERR_CONFLICT.
 */
MUST_CHECK enum err auth_request_show(struct task *task, struct db *db, struct str id,
				      struct str user_id, int64_t now);
/*
 * pending -> code or denied, with decision, grant, granted scopes, auth_time, acr, code hash and
 * its end from *request (state says which); the grant's last yes is its. One conditional UPDATE;
 * ERR_CONFLICT when it was not pending any more.
 */
MUST_CHECK enum err auth_request_decide(struct task *task, struct db *db,
					const struct auth_request *request);
/*
 * code -> spent, once: ERR_CONFLICT for the loser of a race. *request says code_hash, spent_at and
 * family_id, and is the row as spent afterwards.
 */
MUST_CHECK enum err auth_request_spend(struct task *task, struct db *db,
				       struct auth_request *request);
/*
 * Deletes, at most limit, what was never opened (pushed: at its end; of a device: as long again)
 * and what was opened REQUEST_KEEP_MS ago, however far it came.
 */
MUST_CHECK enum err auth_request_sweep(struct task *task, struct db *db, int64_t now, int64_t limit,
				       int64_t *ret_deleted);
