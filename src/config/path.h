/* SPDX-License-Identifier: Apache-2.0 */
/* Which folder lies in which, when links have been followed. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct task;

/*
 * The absolute path without links, in task memory; the last part need not be there yet. STR_NONE
 * when its folder is not.
 */
struct str path_real(struct task *task, struct str path);
/* "/a" of "/a/b"; the same slice, shorter. */
struct str path_folder(struct str path);
/* Of two real paths: the same, or somewhere below it. */
bool path_is_within(struct str path, struct str folder);
