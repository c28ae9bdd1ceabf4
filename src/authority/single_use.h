/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request showed that holds once: a DPoP proof, a client assertion. Both are spent in the
 * transaction of what they were shown for, or alone where there is none.
 */
#pragma once

#include "authority/authority.h"
#include "store/spent.h"

struct single_use {
	struct spent proof;
	struct spent assertion;
};

bool single_use_is_empty(const struct single_use *single_use);
/* For a write's closure. ERR_CLIENT, ERR_DPOP: that was used before, and nothing is to be done. */
MUST_CHECK enum err single_use_spend(struct task *task, struct db *db,
				     const struct single_use *single_use);
/* The same by a write of its own. Parks; *single_use is copied. */
MUST_CHECK enum err single_use_submit(struct task *task, const struct authority *authority,
				      const struct single_use *single_use, then_fn *then,
				      void *arg);
/*
 * Out of a request that is refused before anything was spent: its assertion is spent alone, so that
 * it is good for no other request either, and then *then* has the refusal. Unless the assertion was
 * used before, which is the answer then. May park.
 */
MUST_CHECK enum err single_use_refuse(struct task *task, const struct authority *authority,
				      const struct single_use *single_use, enum err refused,
				      then_fn *then, void *arg);
/* The name under which it is kept: of what kind, whose (a client, a key), and its own id. */
struct str single_use_name(struct arena *arena, struct str kind, struct str owner, struct str jti);
