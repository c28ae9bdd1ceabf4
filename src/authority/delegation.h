/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store says now of a token that was derived from another one: whether it or what it came
 * from was ended, whether the person stopped who acts, and the clients in between.
 */
#pragma once

#include "authority/verify.h"

struct db;

/*
 * For a token whose act is not empty, and whose standing was read. In task memory. ERR_TOKEN: we do
 * not know it (any more).
 */
MUST_CHECK enum err delegation_find(struct task *task, struct db *db, const struct access *access,
				    const struct delegation **ret_delegation);
