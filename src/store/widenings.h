/* SPDX-License-Identifier: Apache-2.0 */
/* widenings: by which consents of their own single installations have more of a grant. */
#pragma once

#include "base/err.h"
#include "model/family.h"
#include "model/grant.h"

struct task;
struct db;

/* Keeps by which consent the installation has these: as long as it has them, that is kept. */
MUST_CHECK enum err widening_put(struct task *task, struct db *db, const struct family *family,
				 struct scope_set scope, struct str consent_event);
/* Ids of the consents of the grant's installations that are not revoked, oldest first. */
MUST_CHECK enum err widening_list(struct task *task, struct db *db, const struct grant *grant,
				  struct str **ret_events, size_t *ret_count);
/* Nobody has the scope by such a consent any more. */
MUST_CHECK enum err widening_forget(struct task *task, struct db *db, const struct grant *grant,
				    struct str scope);
