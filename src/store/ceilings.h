/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What single installations of a grant gain by a consent of their own, and what all of them lose
 * with a permission: one that was taken away, or whose end has passed, is over for all that had it,
 * and a later yes is for the one alone that it is said to.
 */
#pragma once

#include "base/err.h"
#include "model/family.h"
#include "model/grant.h"

struct task;
struct db;

/* Takes the scope out of the ceilings of the grant's installations: it is being taken away. */
MUST_CHECK enum err ceilings_lose(struct task *task, struct db *db, struct str grant_id,
				  struct str scope);
/*
 * Before the grant is put: takes out of the ceilings of the live one in its place what the grant is
 * to give and that one does not give any more.
 */
MUST_CHECK enum err ceilings_lose_over(struct task *task, struct db *db, const struct grant *grant);

/* Keeps by which consent the installation has these: as long as it has them, that is kept. */
MUST_CHECK enum err widening_put(struct task *task, struct db *db, const struct family *family,
				 struct scope_set scope, struct str consent_event);
/* Ids of the consents of the grant's installations that are not revoked, oldest first. */
MUST_CHECK enum err widening_list(struct task *task, struct db *db, const struct grant *grant,
				  struct str **ret_events, size_t *ret_count);
/* After the scope is over: nobody has it by such a consent any more. */
MUST_CHECK enum err widening_forget_over(struct task *task, struct db *db, struct str grant_id,
					 struct str scope, int64_t now);
