/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema's versions. Each step runs in a transaction of its own and is written down in it, so a
 * migration that was interrupted goes on where it stopped; two processes at once take turns.
 */
#pragma once

#include "store/driver.h"

/* *ret_from and *ret_to: the versions before and after. ERR_CONFIG: newer than this program. */
MUST_CHECK enum err migrate_run(struct task *task, struct db *db, int *ret_from, int *ret_to);
/* ERR_CONFIG unless the schema is exactly this program's. */
MUST_CHECK enum err migrate_check(struct task *task, struct db *db);
