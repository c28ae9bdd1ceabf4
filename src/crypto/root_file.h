/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file with the root keys: reading it strictly, creating it whole or not at all. Private to
 * crypto.
 */
#pragma once

#include "crypto/holder_private.h"

/*
 * Numbers and bytes into roots[ROOTS_MAX] in order of their numbers. ERR_CONFIG says what the
 * operator can do.
 */
MUST_CHECK enum err root_file_read(struct task *task, struct str path, struct root *roots,
				   size_t *ret_count);
